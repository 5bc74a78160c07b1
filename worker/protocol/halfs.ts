/**
 * Converts numbers of 16 bits on hosts without `Float16Array`, such as Node 20, where tensors hold their bits.
 * https://en.wikipedia.org/wiki/Half-precision_floating-point_format
 */

/** The smallest distance between two halfs, which is also the smallest positive half. */
const STEP = 2 ** -24;
/** The smallest half with full precision. */
const SMALLEST_NORMAL = 2 ** -14;
/** The smallest number whose nearest half is infinity. */
const OVERFLOW = 65520;

const digits = new DataView(new ArrayBuffer(8));

/** Returns the bits of the nearest half; of two equally near ones the even one, as `Float16Array` rounds. */
export function halfBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= OVERFLOW) return sign | 0x7c00;
  if (size < SMALLEST_NORMAL) return sign | toEven(size / STEP);
  digits.setFloat64(0, size);
  const exponent = (digits.getUint16(0) >>> 4) - 1023;
  // The implicit 1 before the digits adds to the exponent, and so does a carry.
  return sign | (((exponent + 14) << 10) + toEven(size / 2 ** (exponent - 10)));
}

/** Returns the number that the bits of a half stand for. */
export function fromHalfBits(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >>> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * STEP : (0x400 + fraction) * 2 ** (exponent - 25));
}

/**
 * Rounds to the nearest integer, half to even. Both neighbours and their distances are exact, because halfs have far
 * fewer digits than JavaScript numbers.
 */
function toEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return below + Number(rest > 0.5 || (rest === 0.5 && below % 2 === 1));
}
