/**
 * `samples.npz` holds some real samples and the exported file's answers to them, to check later, without the data, that
 * the model still answers as it did. `x` holds raw inputs, `y` the numbers of the model's output.
 */
import { encodeNpz, parseNpz, type Samples, subset } from '../../training/data/index.ts';

const MAX = 32;

/** @param answers of the exported file to the whole data set, row-major `[count, ..]` */
export function encodeSamples(dataset: Samples, answers: Float32Array): Uint8Array {
  const { count } = dataset;
  const width = answers.length / count;
  const kept = Math.min(MAX, count);
  // The samples are spread over all of the data, which may be sorted by class.
  const chosen = Int32Array.from({ length: kept }, (_, i) => Math.floor((i * count) / kept));
  const { inputs, inputShape } = subset(dataset, chosen);
  const y = new Float32Array(kept * width);
  chosen.forEach((sample, i) => {
    y.set(answers.subarray(sample * width, (sample + 1) * width), i * width);
  });
  return encodeNpz({
    x: { shape: [kept, ...inputShape], data: inputs },
    y: { shape: [kept, width], data: y },
  });
}

export interface KnownSamples extends Samples {
  /** `answers` is row-major. */
  readonly answers: Float32Array;
}

/** @throws UserError for a file without these arrays */
export function parseSamples(bytes: Uint8Array, where: string): KnownSamples {
  const [x, y] = parseNpz(bytes, where, ['x', 'y']);
  const [count = 0, ...inputShape] = x.shape;
  const inputs = x.data instanceof Uint8Array ? x.data : floats(x.data);
  return { inputs, inputShape, count, answers: floats(y.data) };
}

const floats = (data: ArrayLike<number | bigint>): Float32Array => Float32Array.from(data, Number);
