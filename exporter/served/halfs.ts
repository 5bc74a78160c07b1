/** Handles IEEE 754 half precision in numbers of single precision; not every Node has arrays of halfs. */

import { present } from '../../training/arrays/index.ts';

/** The largest finite half. */
export const largestHalf = 65_504;

/**
 * The number of fraction bits that a half has less, and the difference of the exponents' biases, shifted to a half's
 * exponent.
 */
const [lost, rebias] = [13, 112 << 10];
const smallestNormal = 2 ** -14;

/** Rounds numbers of at most the largest half to the nearest halfs, ties to even. */
export function roundedToHalfs(values: Float32Array): Float32Array<ArrayBuffer> {
  const rounded = new Float32Array(values);
  const bits = new Uint32Array(rounded.buffer);
  for (let i = 0; i < rounded.length; i++) {
    const [value, word] = [present(rounded[i]), present(bits[i])];
    // Between a half and one, the steps of single precision are those of subnormal halfs.
    if (Math.abs(value) < smallestNormal) rounded[i] = withSignOf(value, Math.fround(Math.abs(value) + 0.5) - 0.5);
    else bits[i] = (word + 0xfff + ((word >>> lost) & 1)) & -(1 << lost);
  }
  return rounded;
}

const withSignOf = (value: number, size: number): number => (value < 0 || Object.is(value, -0) ? -size : size);

/** Decodes the bits of a half. */
export function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * @param word the bits of the number in single precision
 * @returns the bits of a half, or undefined if the number is not a half
 */
export function bitsOfHalf(value: number, word: number): number | undefined {
  const sign = (word >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (size < smallestNormal) {
    const steps = size * 2 ** 24;
    return Number.isInteger(steps) ? sign | steps : undefined;
  }
  if (!(size <= largestHalf) || (word & ((1 << lost) - 1)) !== 0) return undefined;
  return sign | (((word & 0x7fffffff) >>> lost) - rebias);
}
