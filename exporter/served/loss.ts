/**
 * Measures what rounding a model's weights costs: compares its answers with those of the file with the original
 * weights.
 */
import * as ort from 'onnxruntime-web/wasm';
import { at, elementCount } from '../../training/arrays/index.ts';
import { releasing, UserError } from '../../training/files/index.ts';
import type { RoundedWeights } from '../../worker/image.ts';
import type { ModelOutput } from './output.ts';
import type { Port } from './ports.ts';
import { acceptedShapes, madeUp, openModel } from './runnable.ts';

/** Real inputs, `[n, …]`, for a model with one. */
export interface RealSamples {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}

export interface Compared {
  /** `file` names both in messages. */
  readonly file: string;
  readonly original: Uint8Array;
  readonly rounded: Uint8Array;
  readonly inputs: readonly Port[];
  /** `sizes` lists the sizes to try for free dimensions. */
  readonly sizes: readonly number[];
  readonly samples: RealSamples | undefined;
  /** `output` is the answer, if it is known. */
  readonly output: ModelOutput | undefined;
}

export type WeightLoss = Omit<RoundedWeights, 'type'>;

/**
 * Runs both files on the Worker's runtime.
 *
 * @throws UserError if the runtime cannot run one of them, or rounding makes an answer that is not a number
 */
export async function lossOf(compared: Compared): Promise<WeightLoss> {
  const { file, original, rounded, output } = compared;
  await using before = releasing(await openModel(file, original));
  await using after = releasing(await openModel(file, rounded));
  const loss = { largestDifference: 0, relativeDifference: 0, samples: 0 };
  let changed = 0;
  for (const { feeds, samples } of await questions(before, compared)) {
    const [expected, got] = [await before.run(feeds), await after.run(feeds)];
    for (const [name, values] of floatsOf(expected)) {
      const difference = largestDifference(file, values, floatsOf(got).get(name));
      loss.largestDifference = Math.max(loss.largestDifference, difference);
      loss.relativeDifference = Math.max(loss.relativeDifference, difference / largestOf(values));
    }
    loss.samples += samples;
    changed += samples === 0 ? 0 : changedClasses(output, expected, got, samples);
  }
  const hasClasses = output !== undefined && output.kind !== 'number';
  return { ...loss, ...(hasClasses && loss.samples > 0 && { changedClasses: changed }) };
}

/** Returns the largest absolute value; where all are 0, a tiny number that can be divided by. */
function largestOf(values: Float32Array | Float64Array): number {
  let largest = Number.MIN_VALUE;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}

type Values = Readonly<Record<string, ort.Tensor>>;

interface Question {
  readonly feeds: Values;
  /** Counts the real samples in the feeds. */
  readonly samples: number;
}

async function questions(session: ort.InferenceSession, { inputs, sizes, samples }: Compared): Promise<Question[]> {
  const shapes = await acceptedShapes(session, inputs, sizes);
  const made = shapes ? ranges.map((range) => ({ feeds: madeUp(inputs, shapes, range), samples: 0 })) : [];
  return [...made, ...(samples ? realQuestions(inputs, samples) : [])];
}

/** Returns numbers between 0 and 1 without a pattern. */
const fraction = (i: number): number => (Math.imul(i + 1, 0x9e3779b1) >>> 0) / 2 ** 32;

/** Ranges of pictures and of prepared numbers. */
const ranges = [fraction, (i: number) => 255 * fraction(i), (i: number) => 2 * fraction(i) - 1, undefined];

/** The number of samples in a run, if the model leaves it open. */
const BATCH = 16;

function realQuestions([input, ...others]: readonly Port[], { shape, data }: RealSamples): readonly Question[] {
  if (input?.datatype !== 'FP32' || others.length > 0) return [];
  const [total = 0, ...sample] = shape;
  const size = elementCount(sample);
  const [first] = input.dims ?? [];
  const batch = typeof first === 'number' ? first : BATCH;
  // A fixed batch has to be full.
  const runs = typeof first === 'number' ? Math.floor(total / batch) : Math.ceil(total / batch);
  return Array.from({ length: runs }, (_, i) => {
    const count = Math.min(batch, total - i * batch);
    const values = Float32Array.from(data.subarray(i * batch * size, (i * batch + count) * size));
    return { feeds: { [input.name]: new ort.Tensor('float32', values, [count, ...sample]) }, samples: count };
  });
}

const floatsOf = (outputs: Values): ReadonlyMap<string, Float32Array | Float64Array> =>
  new Map(
    Object.entries(outputs).flatMap(([name, { data }]) =>
      data instanceof Float32Array || data instanceof Float64Array ? [[name, data] as const] : [],
    ),
  );

function largestDifference(
  file: string,
  expected: Float32Array | Float64Array,
  got: Float32Array | Float64Array = new Float32Array(),
): number {
  let largest = 0;
  for (const [i, value] of expected.entries()) {
    const other = got[i] ?? NaN;
    if (Object.is(value, other) || value === other) continue;
    const difference = Math.abs(value - other);
    if (!Number.isFinite(difference)) {
      throw new UserError(
        `${file}: expected ${value} with rounded weights, too, got ${other} ("weights" in card.json)`,
      );
    }
    largest = Math.max(largest, difference);
  }
  return largest;
}

function changedClasses(output: ModelOutput | undefined, expected: Values, got: Values, samples: number): number {
  if (!output || output.kind === 'number') return 0;
  const fresh = decisionsOf(output, got, samples);
  return decisionsOf(output, expected, samples).filter((decision, i) => decision !== fresh[i]).length;
}

/** Returns the class of each sample. */
function decisionsOf({ name, kind }: ModelOutput, outputs: Values, samples: number): readonly string[] {
  const values = Float64Array.from((outputs[name]?.data ?? []) as ArrayLike<number | bigint>, Number);
  const size = values.length / samples;
  return Array.from({ length: samples }, (_, i) => decide[kind](values.subarray(i * size, (i + 1) * size)));
}

type Decide = (values: Float64Array) => string;

/** Returns a function that decides the class of a sample. A single number stands for two classes. */
const decideAbove =
  (threshold: number): Decide =>
  (values) => {
    if (values.length === 1) return String(at(values, 0) > threshold);
    return String(values.indexOf(values.reduce((max, value) => Math.max(max, value), -Infinity)));
  };

const decide: { readonly [K in ModelOutput['kind']]: Decide } = {
  logits: decideAbove(0),
  probabilities: decideAbove(0.5),
  'multi-label': (values) => Array.from(values, (value) => value > 0.5).join(),
  class: (values) => values.join(),
  number: () => '',
};
