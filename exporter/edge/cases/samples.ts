/** Feeds a model with real samples, beside made-up inputs. */

import { elementCount } from '../../../training/arrays/index.ts';
import { unexpected } from '../../../training/files/index.ts';
import type { SampleArray } from '../../store/samples.ts';
import type { Runtime } from '../bundle.ts';
import { isFree } from '../runtime/tensor.ts';
import type { Tensors, ValueInfo } from '../runtime/index.ts';
import { setNumber } from './set-number.ts';

/** Maps sessions to their samples. */
export type Samples = Readonly<Record<string, SampleArray>>;

/** Half-open range of samples. */
export interface Batch {
  readonly start: number;
  readonly end: number;
}

const largestBatch = 64;

/** @throws UserError if the samples do not fit a model with these inputs */
export function checkSamples({ where, shape }: SampleArray, inputs: readonly ValueInfo[]): void {
  const [input, ...others] = inputs;
  if (!input || others.length > 0) throw unexpected(where, 'a model with one input', inputs.length);
  if (input.anyShape) return;
  const expected = input.shape.map((size, axis) => (axis === 0 ? 'n' : size));
  const fits = expected.every((size, axis) => isFree(size) || size === shape[axis]);
  if (!fits || shape.length !== expected.length)
    throw unexpected(where, `[${expected.join(', ')}] for ${input.name}`, `[${shape.join(', ')}]`);
  const [count = 0] = shape;
  const min = isFree(input.shape[0]) ? 1 : Number(input.shape[0]);
  if (!(count >= min)) throw unexpected(where, `at least ${min} samples`, count);
}

/** Returns every sample once, in batches of 1, 2, … 64, 1, 2, …, or of the only size that the model accepts. */
export function sampleBatches({ shape }: SampleArray, [input]: readonly ValueInfo[]): readonly Batch[] {
  const [total = 0] = shape;
  const fixed = input && !input.anyShape && !isFree(input.shape[0]) ? Number(input.shape[0]) : undefined;
  const batches: Batch[] = [];
  for (let start = 0, size = fixed ?? 1; start < total; size = fixed ?? (size % largestBatch) + 1) {
    const end = Math.min(total, start + size);
    if (end - start === (fixed ?? end - start)) batches.push({ start, end });
    start = end;
  }
  return batches;
}

/** Returns the samples of a batch as the model's only input. */
export function sampleFeeds(
  runtime: Runtime,
  { shape, data: values }: SampleArray,
  [input]: readonly ValueInfo[],
  { start, end }: Batch,
): Tensors {
  if (!input) return {};
  const size = elementCount(shape.slice(1));
  const data = runtime.createData(input.dtype, (end - start) * size);
  values.subarray(start * size, end * size).forEach((value: number, i: number) => {
    setNumber(data, input.dtype, i, value);
  });
  return { [input.name]: { dtype: input.dtype, shape: [end - start, ...shape.slice(1)], data } };
}
