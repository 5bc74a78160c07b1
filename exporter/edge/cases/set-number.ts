/** Writes numbers into the elements of a tensor of any type. */

import type { DType, TensorData } from '../runtime/index.ts';

/** Sets an element to the number, rounded to the element's type. */
export function setNumber(data: TensorData, dtype: DType, index: number, value: number): void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[index] = BigInt(value);
  else data[index] = dtype === 'float16' && data instanceof Uint16Array ? halfBits(value) : value;
}

/**
 * Returns the bits of the nearest half towards zero. https://en.wikipedia.org/wiki/Half-precision_floating-point_format
 */
export function halfBits(value: number): number {
  const [bits = 0] = new Uint32Array(Float32Array.of(value).buffer);
  const [sign, exponent, fraction] = [(bits >>> 16) & 0x8000, ((bits >>> 23) & 0xff) - 112, bits & 0x7f_ffff];
  if (Number.isNaN(value)) return 0x7e00;
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent > 0) return sign | (exponent << 10) | (fraction >>> 13);
  return exponent < -10 ? sign : sign | ((fraction | 0x80_0000) >>> (14 - exponent));
}

/** Is true if these are the bits of a half that is NaN. */
export function isHalfNaN(bits: number): boolean {
  return (bits & 0x7fff) > 0x7c00;
}
