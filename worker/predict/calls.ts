/**
 * Turns models into functions, without HTTP: an image exports these next to its sessions. `bn-edge build` bundles them
 * with the image, as far as the models need them; a Worker that only serves HTTP does not carry them.
 */
import { at, elementCount } from '../../training/arrays/index.ts';
import { describe, RequestError } from '../errors.ts';
import type { Image, ModelAbout, Session as EdgeSession } from '../image.ts';
import type { Answer, Predictor, PredictOptions } from '../predictor.ts';
import type { Tensor } from '../protocol/datatypes.ts';
import { type Session, sessionOn } from '../protocol/session.ts';
import { prepareRows } from '../rows/prepare.ts';
import { tableOf } from '../rows/table.ts';
import { answerOf, valuesOf, warned } from './answer.ts';

/** Refuses a sample that the model does not take. */
export class PredictError extends Error {
  override readonly name = 'PredictError';
}

/** The part of an image that the functions need. */
export type Source = Pick<Image, 'models' | 'sessions'>;

/** The functions of a model, whatever the type of its answers. */
export type Calls<Sample> = Pick<Predictor<Sample, never>, 'predict' | 'predictMany'>;

interface Fed {
  readonly tensor: Tensor;
  readonly warnings?: readonly (readonly string[])[];
}

/**
 * Turns samples into the input of a model.
 * @param places names each sample, for a message
 */
type Feed<Sample> = (samples: readonly Sample[], places: readonly string[], options: PredictOptions) => Fed;

interface Running<Sample> {
  readonly about: ModelAbout;
  readonly session: Session;
  // It is a method, so that models of all kinds of samples can be kept in one map.
  feed(...given: Parameters<Feed<Sample>>): Fed;
}

/** Creates the functions of a model for rows of a table, whose columns the image describes. */
export const rowCalls = (source: Source, path: string): Calls<unknown> =>
  callsOf(source, path, (about, session) => {
    const table = tableOf(about, session);
    if (!table) throw new Error(`internal: expected the columns of ${path}`);
    return (samples, places, { unknown = about.unknown ?? 'refuse' }) =>
      prepareRows(table, { rows: samples.map((row, i) => ({ row, where: at(places, i) })), decimal: '.' }, unknown);
  });

/** Creates the functions of a model whose samples are plain numbers, row-major, as many as one sample has. */
export const numberCalls = (source: Source, path: string): Calls<ArrayLike<number>> =>
  callsOf(source, path, ({ shapes = {} }, { inputs }) => {
    const { name, shape } = at(inputs, 0);
    const [, ...sizes] = shapes[name] ?? shape;
    const size = elementCount(sizes);
    return (samples, places) => {
      const data = new Float32Array(samples.length * size);
      for (const [i, sample] of samples.entries()) {
        requireNumbers(sample, size, at(places, i));
        data.set(sample, i * size);
      }
      return { tensor: { datatype: 'FP32', shape: [samples.length, ...sizes], data } };
    };
  });

/** Checks the sample, because a program without types may pass anything. */
function requireNumbers(sample: unknown, size: number, where: string): void {
  const values = Array.isArray(sample) || ArrayBuffer.isView(sample) ? Array.from(sample as ArrayLike<unknown>) : [];
  const other = values.findIndex((value) => typeof value !== 'number');
  if (values.length === size && other < 0) return;
  const got = other < 0 ? `${values.length}` : `${describe(values[other])} at ${other}`;
  throw new PredictError(`${where}: expected ${size} numbers, got ${got}`);
}

/** Holds what the first call prepares of a model, by the session that runs it. */
const running = new WeakMap<EdgeSession, Running<never>>();

export function callsOf<Sample>(
  { models, sessions }: Source,
  path: string,
  feedOf: (about: ModelAbout, session: Session) => Feed<Sample>,
): Calls<Sample> {
  const [about, own] = [models.find((model) => model.path === path), sessions.get(`${path}/model`)];
  if (!about || !own) throw new Error(`internal: the image lacks the model ${path}`);
  const session = sessionOn(own);
  const model: Running<Sample> = running.get(own) ?? { about, session, feed: feedOf(about, session) };
  running.set(own, model);
  return {
    predict: async (sample, options = {}) => {
      const [answer] = await Promise.resolve(answers(model, [sample], ['sample'], options));
      if (!answer) throw new Error('internal: expected an answer');
      return answer;
    },
    predictMany: async (samples, options = {}) => {
      const places = samples.map((_, i) => `samples[${i}]`);
      return Promise.resolve(answers(model, samples, places, options));
    },
  };
}

/** The maximum number of samples of one run: the activations of more may not fit into an isolate. */
const MAX = 256;

function answers<Sample>(
  model: Running<Sample>,
  samples: readonly Sample[],
  places: readonly string[],
  options: PredictOptions,
): readonly Answer<never>[] {
  const { about, session } = model;
  const [size = -1] = at(session.inputs, 0).shape;
  // A model that normalizes with the mini-batch needs all of its samples in one run.
  const max = size > 0 ? size : about.ofBatch ? Math.max(samples.length, 1) : MAX;
  const starts = Array.from({ length: Math.ceil(samples.length / max) }, (_, i) => i * max);
  const parts = starts.map((start) => [samples.slice(start, start + max), places.slice(start, start + max)] as const);
  try {
    // All samples are checked before the first is answered.
    const batches = parts.map(([part, names]) => model.feed(part, names, options));
    return batches.flatMap((batch) => answersOf(about, session, batch));
  } catch (error) {
    throw error instanceof RequestError ? new PredictError(error.message, { cause: error }) : error;
  }
}

function answersOf(about: ModelAbout, session: Session, { tensor, warnings }: Fed): readonly Answer<never>[] {
  const { name = '', kind = 'number' } = about.output ?? {};
  const outputs = session.run(new Map([[at(session.inputs, 0).name, tensor]]), [name]);
  const values = valuesOf('predict', about.name, name, outputs);
  return values.map((each, i) => warned(answerOf(each, about, kind), warnings?.[i])) as readonly Answer<never>[];
}
