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
