/**
 * Compares answers with stock's when sums are rounded otherwise, because they are added in another order or fused with
 * their products. The bits differ then; what is held is a tolerance, and that no sample gets another class.
 */

import { at, present } from '../../../training/arrays/index.ts';
import type { Tensor } from '../runtime/index.ts';

/** Relative to the largest number of an answer. */
export const tolerance = 1e-5;

/** Above this number, a sum that is rounded otherwise may overflow where stock's does not. */
const nearOverflow = 1e30;

/**
 * Describes, in one line, the difference between two answers.
 *
 * @param isReal true if this is the answer for a sample, whose class has to be the same
 */
export const nearDifference = (expected: Tensor, got: Tensor, isReal: boolean): string | undefined =>
  tensorDifference(expected, got) ?? (isReal ? classDifference(expected, got) : undefined);

function tensorDifference(expected: Tensor, got: Tensor): string | undefined {
  const [want, have] = [describe(expected), describe(got)];
  if (want !== have) return `expected ${want}, got ${have}`;
  const [a, b] = [numbersOf(expected), numbersOf(got)];
  const isExact = !expected.dtype.startsWith('float');
  const largest = a.reduce((max, x) => (Number.isFinite(x) ? Math.max(max, Math.abs(x)) : max), 0);
  const allowed = isExact ? 0 : tolerance * largest;
  const index = a.findIndex((x, i) => !agree(x, present(b[i]), allowed));
  return index < 0 ? undefined : `expected ${at(a, index)} at ${index}, got ${at(b, index)}`;
}

const describe = ({ dtype, shape }: Tensor): string => `${dtype} [${shape.join(', ')}]`;

/**
 * Is true if two numbers are close. NaN and infinities agree with each other, and with numbers that are close to
 * overflow.
 */
function agree(x: number, y: number, allowed: number): boolean {
  if (Number.isFinite(x) && Number.isFinite(y)) return Math.abs(x - y) <= allowed;
  const finite = [x, y].filter(Number.isFinite);
  return finite.every((number) => Math.abs(number) > nearOverflow);
}

/** Compares, for answers `[N, K]`, the index of the largest number in each row. */
function classDifference(expected: Tensor, got: Tensor): string | undefined {
  const [N = 0, K = 0] = expected.shape;
  if (expected.shape.length !== 2 || K < 2) return undefined;
  const [a, b] = [numbersOf(expected), numbersOf(got)];
  for (let row = 0; row < N; row++) {
    const [x, y] = [classOf(a.subarray(row * K, (row + 1) * K)), classOf(b.subarray(row * K, (row + 1) * K))];
    if (x !== y) return `expected class ${x} for sample ${row} of the batch, got ${y}`;
  }
  return undefined;
}

const classOf = (values: Float64Array): number =>
  values.indexOf(values.reduce((max, value) => Math.max(max, value), -Infinity));

const numbersOf = ({ data }: Tensor): Float64Array => Float64Array.from<number | bigint>(data as Float32Array, Number);
