/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 bits of fraction. */
export function fromHalves(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (bits) => {
    const [exponent, fraction, sign] = [(bits >> 10) & 31, bits & 1023, bits >> 15 ? -1 : 1];
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });
}

/** A float32 without the lower half of its bits. */
export function fromBfloats(bfloats: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bfloats, (bits) => bits << 16).buffer);
}

/** The nearest halves, of two as near the even one; infinite from 65,520 on. */
export const toHalves = (numbers: Float32Array): Uint16Array => Uint16Array.from(numbers, halfOf);

function halfOf(number: number): number {
  const [sign, size] = [Object.is(number, -0) || number < 0 ? 0x8000 : 0, Math.abs(number)];
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65_520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  // A fraction that is rounded up to the next power carries into the exponent by itself.
  const fraction = toEven(size * 2 ** (10 - exponent));
  return sign | (size < 2 ** -14 ? fraction : ((exponent + 15) << 10) + fraction - 1024);
}

function toEven(number: number): number {
  const [below, rest] = [Math.floor(number), number - Math.floor(number)];
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
