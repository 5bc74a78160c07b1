/** Compares numbers element by element, each by a tolerance of its own, as NumPy's `assert_allclose` does. */
import type { NdArray } from './ndarray.ts';

/** Allows each element an error of the sum of the three; those that are absent are 0. */
export interface Tolerance {
  /** The error relative to the expected element. */
  readonly rtol?: number;
  /** The absolute error. */
  readonly atol?: number;
  /**
   * The error relative to the largest expected element. A sum in float32 whose terms cancel is as inexact as its terms,
   * which are about as large as the largest sum.
   */
  readonly ofLargest?: number;
}

/**
 * Expects |actual − expected| ≤ atol + ofLargest · max |expected| + rtol · |expected| of each element. NaN and ±∞ are
 * close only to themselves.
 *
 * @throws an error that names the worst element's index, both values, the error and the tolerance
 */
export function expectClose(what: string, actual: NdArray | undefined, expected: NdArray, tolerance: Tolerance): void {
  if (actual?.shape.join() !== expected.shape.join()) {
    throw new Error(
      `${what}: expected shape [${expected.shape.join(', ')}], got [${actual?.shape.join(', ') ?? 'none'}]`,
    );
  }
  const indexOf = (flat: number): string => unravel(flat, expected.shape).join(', ');
  expectAllClose(what, actual.data, expected.data, tolerance, indexOf);
}

/** Does the same as `expectClose` for lists. */
export function expectAllClose(
  what: string,
  actual: ArrayLike<number> | undefined,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
  indexOf: (flat: number) => string = String,
): void {
  if (actual?.length !== expected.length) {
    throw new Error(`${what}: expected ${expected.length} elements, got ${actual?.length ?? 'none'}`);
  }
  const allowed = allowedBy(tolerance, expected);
  let worst = { excess: 1, at: -1 };
  for (let at = 0; at < expected.length; at++) {
    const excess = excessOf(Number(actual[at]), Number(expected[at]), allowed);
    if (excess > worst.excess) worst = { excess, at };
  }
  if (worst.at < 0) return;
  const [got, wanted] = [Number(actual[worst.at]), Number(expected[worst.at])];
  throw new Error(
    `${what}: element [${indexOf(worst.at)}]: expected ${wanted}, got ${got}, ` +
      `error ${Math.abs(got - wanted)} above ${allowed(wanted)}`,
  );
}

/** Returns the largest magnitude among the finite elements. */
export function largestOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((max, x) => (Number.isFinite(x) ? Math.max(max, Math.abs(x)) : max), 0);
}

function allowedBy({ rtol = 0, atol = 0, ofLargest = 0 }: Tolerance, expected: ArrayLike<number>) {
  const fixed = atol + ofLargest * largestOf(expected);
  return (value: number): number => fixed + rtol * Math.abs(value);
}

/** Returns the error in units of what is allowed; ∞ where a number is not finite and the other is not the same. */
function excessOf(actual: number, expected: number, allowed: (value: number) => number): number {
  if (Object.is(actual, expected) || actual === expected) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return Infinity;
  return Math.abs(actual - expected) / allowed(expected);
}

function unravel(flat: number, shape: readonly number[]): readonly number[] {
  return shape.reduceRight<{ rest: number; index: readonly number[] }>(
    ({ rest, index }, size) => ({ rest: Math.floor(rest / size), index: [rest % size, ...index] }),
    { rest: flat, index: [] },
  ).index;
}
