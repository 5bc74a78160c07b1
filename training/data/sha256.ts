/**
 * SHA-256 in plain JavaScript. Random numbers are also drawn in browsers, whose own digests are asynchronous.
 *
 * Source: FIPS 180-4, sections 4.1.2, 5.3.3 and 6.2, https://doi.org/10.6028/NIST.FIPS.180-4
 */

import { present } from '../arrays/index.ts';

/** Returns the first 32 bits of the fractional part of a root. */
const fraction = (root: number): number => Math.floor((root % 1) * 2 ** 32) | 0;

const primes = (count: number): readonly number[] => {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
};

/** The fractions of the cube roots of the first 64 primes, and of the square roots of the first 8. */
const constants = Int32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)));
const initial = Int32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)));

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** Returns the digest as eight words of 32 bits, most significant first. */
export function sha256(content: string | Uint8Array): Int32Array {
  const message = padded(typeof content === 'string' ? new TextEncoder().encode(content) : content);
  const digest = new Int32Array(initial);
  for (let block = 0; block < message.byteLength; block += 64) compress(digest, message, block);
  return digest;
}

/** Pads a message with a 1 bit, zeros and its length in bits, up to a whole number of blocks of 64 bytes. */
function padded(bytes: Uint8Array): DataView {
  const view = new DataView(new ArrayBuffer(64 * Math.ceil((bytes.length + 9) / 64)));
  new Uint8Array(view.buffer).set(bytes);
  view.setUint8(bytes.length, 0x80);
  view.setBigUint64(view.byteLength - 8, BigInt(bytes.length) * 8n);
  return view;
}

function compress(digest: Int32Array, message: DataView, block: number): void {
  const w = new Int32Array(64);
  for (let t = 0; t < 16; t++) w[t] = message.getInt32(block + 4 * t);
  const word = (t: number): number => present(w[t]);
  for (let t = 16; t < 64; t++) {
    const [low, high] = [word(t - 15), word(t - 2)];
    const s0 = rotate(low, 7) ^ rotate(low, 18) ^ (low >>> 3);
    const s1 = rotate(high, 17) ^ rotate(high, 19) ^ (high >>> 10);
    w[t] = s1 + word(t - 7) + s0 + word(t - 16);
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = digest;
  for (let t = 0; t < 64; t++) {
    const S1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const T1 = (h + S1 + ((e & f) ^ (~e & g)) + present(constants[t]) + word(t)) | 0;
    const S0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const T2 = (S0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + T1) | 0, c, b, a, (T1 + T2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    digest[i] = present(digest[i]) + word;
  });
}
