import type { NdArray } from './ndarray.ts';

/** Below this magnitude errors count absolutely, since a gradient of zero has no relative error. */
const smallestScale = 1e-3;

/**
 * Fails unless max |actual − expected| / max |expected| ≤ tolerance.
 *
 * @throws an error that names the worst element's index, both values and the error
 */
export function expectClose(what: string, actual: NdArray, expected: NdArray, tolerance: number): void {
  if (actual.shape.join() !== expected.shape.join()) {
    throw new Error(`${what}: expected shape [${expected.shape.join(', ')}], got [${actual.shape.join(', ')}]`);
  }
  const scale = Math.max(smallestScale, ...expected.data.map(Math.abs));
  let worst = { error: 0, at: 0 };
  expected.data.forEach((value, at) => {
    const error = Math.abs((actual.data[at] ?? NaN) - value) / scale;
    if (!(error <= worst.error)) worst = { error, at };
  });
  if (worst.error <= tolerance) return;
  throw new Error(
    `${what}: element [${unravel(worst.at, expected.shape).join(', ')}]: expected ${expected.data[worst.at] ?? NaN}, ` +
      `got ${actual.data[worst.at] ?? NaN}, error ${worst.error} above ${tolerance}`,
  );
}

function unravel(flat: number, shape: readonly number[]): readonly number[] {
  return shape.reduceRight<{ rest: number; index: readonly number[] }>(
    ({ rest, index }, size) => ({ rest: Math.floor(rest / size), index: [rest % size, ...index] }),
    { rest: flat, index: [] },
  ).index;
}
