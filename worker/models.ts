/** The models this Worker serves: what the build knows of each (see exporter/registry.ts), and its sessions. */
import type { Session as EdgeSession } from '../dist/edge/edge.mjs';
import type { Tensor } from './protocol/datatypes.ts';
import type { Statistics } from './protocol/protocol.ts';
import { type Session, sessionOn } from './protocol/session.ts';

/** A Batch Norm layer as its ONNX file stores it; per-channel values are `[C]`. */
export interface BatchNormLayer {
  readonly name: string;
  /** The names of the tensors before (z) and after (z̃) the layer. */
  readonly input: string;
  readonly output: string;
  readonly epsilon: number;
  /** ONNX's convention: the share of the old running value that an update keeps. */
  readonly momentum: number;
  readonly gamma: readonly number[];
  readonly beta: readonly number[];
  readonly runningMean: readonly number[];
  readonly runningVar: readonly number[];
}

/** One folder of `models/`, as the generated registry describes it. */
export interface ModelAbout {
  readonly name: string;
  /** Where its files are: `<name>`, or `<name>/versions/<version>` for another version than the current one. */
  readonly path: string;
  readonly version: string;
  readonly description?: string;
  /** The name of each class, in the order of the logits. */
  readonly labels?: readonly string[];
  readonly batchNorm: readonly BatchNormLayer[];
}

export interface Model extends ModelAbout {
  /** Normalizes with the running statistics; the runtime has folded Batch Norm into the layers before. */
  readonly session: Session;
  /** Normalizes with either statistics, and also computes the input of every Batch Norm layer. */
  readonly switchable?: Readonly<Record<Statistics, Session['run']>>;
}

/** By path; each model's current version comes before its others. */
export type Models = ReadonlyMap<string, Model>;

/**
 * @param sessions of the ONNX files, by their paths without the extension: `<path>/model`, and `<path>/switchable` where there is Batch
 *   Norm (the same network, every such layer kept and its input an output; a boolean input chooses the statistics)
 * @param switchName that input
 */
export function createModels(
  about: readonly ModelAbout[],
  sessions: ReadonlyMap<string, EdgeSession>,
  switchName: string,
): Models {
  return new Map(
    about.map((model) => {
      const [session, switchable] = [sessions.get(`${model.path}/model`), sessions.get(`${model.path}/switchable`)];
      if (!session) throw new Error(`internal: the edge image lacks the model ${model.path}`);
      const both = switchable && bothWays(sessionOn(switchable), switchName);
      return [model.path, { ...model, session: sessionOn(session), ...(both && { switchable: both }) }];
    }),
  );
}

function bothWays(session: Session, switchName: string): Readonly<Record<Statistics, Session['run']>> {
  const switched = (on: boolean): Session['run'] => {
    const value: Tensor = { datatype: 'BOOL', shape: [], data: Uint8Array.of(Number(on)) };
    return (feeds, fetches) => session.run(new Map([...feeds, [switchName, value]]), fetches);
  };
  return { running: switched(false), batch: switched(true) };
}
