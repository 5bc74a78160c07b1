/** Creates the models of an edge image, each with its sessions. */
import { type InputColumn, inputsOf } from '../training/columns/prepare.ts';
import { describe } from './errors.ts';
import type { Image, ModelAbout, Session as EdgeSession } from './image.ts';
import type { Tensor } from './protocol/datatypes.ts';
import { type Counts, noCounts } from './protocol/counts.ts';
import type { Statistics } from './protocol/protocol.ts';
import { withReasons } from './protocol/refused.ts';
import { type Session, sessionOn } from './protocol/session.ts';
import { type RowTable, tableOf } from './rows/table.ts';

export interface Model extends ModelAbout {
  /** Describes the numbers of a row, by the input that takes rows of a table. */
  readonly rows: ReadonlyMap<string, readonly InputColumn[]>;
  /** Prepares rows given by the names of their columns; absent when the columns are not known. */
  readonly table?: RowTable;
  /** Normalizes with the running statistics; the runtime has folded Batch Norm into the layers before it. */
  readonly session: Session;
  /** Normalizes with either statistics, and also computes the input of every Batch Norm layer. */
  readonly switchable?: Readonly<Record<Statistics, Session['run']>>;
  /** Also computes the moments of its Batch Norm layers; absent when no layer is watched. */
  readonly watched?: Session;
  /** Reads the weights, unless they are loaded already. */
  readonly load?: (read: (name: string) => Promise<ArrayBuffer>) => Promise<void>;
  /** Counts the requests to `infer`. */
  readonly counts: Counts;
}

/** Maps paths to models; each model's current version comes before its others. */
export type Models = ReadonlyMap<string, Model>;

/** @throws TypeError when `image` is not an image */
export function createModels(image: Image): Models {
  const { models, sessions, switchName, load } = requireImage(image);
  return new Map(
    models.map((model) => {
      const [own, switchable] = [sessions.get(`${model.path}/model`), sessions.get(`${model.path}/switchable`)];
      const watched = sessions.get(`${model.path}/watched`);
      if (!own) throw new Error(`internal: the image lacks the model ${model.path}`);
      const byStatistics = switchable && runsByStatistics(switchable, switchName, model);
      const plain = sessionOn(own);
      const session = { ...plain, run: withReasons(plain, model, own.inputs) };
      const table = tableOf(model, session);
      const rows = new Map(Object.entries(model.columns ?? {}).map(([name, columns]) => [name, inputsOf(columns)]));
      const counts = noCounts();
      return [
        model.path,
        {
          ...model,
          rows,
          session,
          counts,
          ...(load && { load: (read: (name: string) => Promise<ArrayBuffer>) => load(model.path, read) }),
          ...(table && { table }),
          ...(byStatistics && { switchable: byStatistics }),
          ...(watched && { watched: sessionOn(watched) }),
        },
      ];
    }),
  );
}

/**
 * Checks the value, because a program without types may pass anything: the module's path, say, or a module that exports
 * something else.
 */
function requireImage(value: unknown): Image {
  const { models, sessions, switchName } = (value ?? {}) as Partial<Record<keyof Image, unknown>>;
  const isImage =
    Array.isArray(models) &&
    typeof (sessions as Partial<Image['sessions']> | undefined)?.get === 'function' &&
    typeof switchName === 'string';
  if (isImage) return value as Image;
  const got = value === null || typeof value !== 'object' ? describe(value) : 'another object';
  throw new TypeError(`image: expected the default export of image.mjs, which bn-edge build writes, got ${got}`);
}

/** Runs the switchable twin with the switch off for the running statistics, and on for those of the mini-batch. */
function runsByStatistics(
  edgeSession: EdgeSession,
  switchName: string,
  model: ModelAbout,
): Readonly<Record<Statistics, Session['run']>> {
  const run = withReasons(sessionOn(edgeSession), model, edgeSession.inputs);
  const switched = (on: boolean): Session['run'] => {
    const value: Tensor = { datatype: 'BOOL', shape: [], data: Uint8Array.of(Number(on)) };
    return (feeds, fetches) => run(new Map([...feeds, [switchName, value]]), fetches);
  };
  return { running: switched(false), batch: switched(true) };
}

/** Lists each name once, however many versions it has. */
export const namesOf = (models: Iterable<Model>): string[] => [...new Set(Array.from(models, ({ name }) => name))];

/** Lists the versions of a model, the current one first. */
export const versionsOf = (models: Models, name: string): Model[] =>
  [...models.values()].filter((model) => model.name === name);

/** Returns the path, below the mount, at which a version of a model answers. */
export function urlOf({ name, version, path }: Model): string {
  const end = path === name ? '' : `/versions/${encodeURIComponent(version)}`;
  return `/v2/models/${encodeURIComponent(name)}${end}`;
}
