/** Reads and writes numbers as their bytes: typed arrays over the bytes of a file, and numbers of 16 bits. */

export interface TypedArrayConstructor<T> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
}

/**
 * Returns a view of `bytes` where their alignment allows it, otherwise a view of a copy. Their number must be a
 * multiple of the element's size.
 */
export function typedArrayOf<T>(TypedArray: TypedArrayConstructor<T>, bytes: Uint8Array): T {
  const aligned = bytes.byteOffset % TypedArray.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new TypedArray(aligned.buffer, aligned.byteOffset, bytes.length / TypedArray.BYTES_PER_ELEMENT);
}

/**
 * Converts IEEE 754 binary16 numbers (1 sign bit, 5 exponent bits, 10 fraction bits), given as their bits, to float32.
 */
export function fromHalves(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (bits) => {
    const [exponent, fraction, sign] = [(bits >> 10) & 31, bits & 1023, bits >> 15 ? -1 : 1];
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });
}

/**
 * Converts bfloat16 numbers, given as their bits, to float32. A bfloat16 is a float32 without the lower half of its
 * bits.
 */
export function fromBfloats(bfloats: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bfloats, (bits) => bits << 16).buffer);
}

/**
 * Rounds float32 numbers to the nearest binary16, ties to even, and returns their bits. Numbers from 65,520 on become
 * infinite.
 */
export const toHalves = (numbers: Float32Array): Uint16Array => Uint16Array.from(numbers, halfOf);

function halfOf(number: number): number {
  const [sign, size] = [Object.is(number, -0) || number < 0 ? 0x8000 : 0, Math.abs(number)];
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65_520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  // A fraction that is rounded up to the next power of two carries into the exponent by itself.
  const fraction = toEven(size * 2 ** (10 - exponent));
  return sign | (size < 2 ** -14 ? fraction : ((exponent + 15) << 10) + fraction - 1024);
}

function toEven(number: number): number {
  const [below, rest] = [Math.floor(number), number - Math.floor(number)];
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
