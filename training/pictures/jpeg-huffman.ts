/**
 * The Huffman tables of a JPEG, prepared so that most codes are found by a single look-up of the next bits, and short
 * codes of coefficients together with their values.
 *
 * Source: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex C and F.2.2
 */
import { present } from '../arrays/index.ts';

/** Converts a value of `size` bits to a signed number: those that begin with a 0 bit are negative. */
export const signed = (value: number, size: number): number =>
  value < 1 << (size - 1) ? value - (1 << size) + 1 : value;

/** The number of bits that are looked up at once; longer codes are searched. */
export const LOOKUP = 9;

export class HuffmanTable {
  /**
   * Maps bits to the length and the symbol of the code that they begin with; 0 where the code is longer than `LOOKUP`.
   */
  readonly lookup = new Uint16Array(1 << LOOKUP);
  /**
   * Maps bits to a coefficient, the zeros before it and the number of bits of both; 0 where these bits do not hold all
   * of that, or the coefficient takes more than a byte.
   */
  readonly coefficients = new Int16Array(1 << LOOKUP);
  /** For each length, the first code beyond those of that length, shifted up to 16 bits. */
  readonly #limits = new Int32Array(18);
  /** For each length, the number to add to a code to get the index of its symbol. */
  readonly #offsets = new Int32Array(17);
  readonly #symbols: Uint8Array;

  /** @param at the offset of the numbers of codes of each length */
  constructor(bytes: Uint8Array, at: number) {
    const counts = bytes.subarray(at, at + 16);
    this.#symbols = bytes.subarray(at + 16, at + 16 + counts.reduce((sum, count) => sum + count, 0));
    for (let length = 1, code = 0, place = 0; length <= 16; length++, code <<= 1) {
      const count = present(counts[length - 1]);
      this.#offsets[length] = place - code;
      for (let i = 0; i < count && length <= LOOKUP; i++) {
        const from = (code + i) << (LOOKUP - length);
        this.lookup.fill((length << 8) | present(this.#symbols[place + i]), from, from + (1 << (LOOKUP - length)));
      }
      code += count;
      place += count;
      if (code > 1 << length) throw new Error('jpeg: more codes than bits');
      this.#limits[length] = code << (16 - length);
    }
    for (let bits = 0; bits < 1 << LOOKUP; bits++) this.coefficients[bits] = this.#coefficient(bits);
  }

  #coefficient(bits: number): number {
    const entry = present(this.lookup[bits]);
    const size = entry & 15;
    const length = (entry >> 8) + size;
    if (size === 0 || size > 7 || length > LOOKUP) return 0;
    const value = (bits >> (LOOKUP - length)) & ((1 << size) - 1);
    return (signed(value, size) << 8) | (entry & 0xf0) | length;
  }

  /** Returns the length and symbol of the code that these 16 bits begin with. */
  search(bits: number): number {
    let length = LOOKUP + 1;
    while (length <= 16 && bits >= present(this.#limits[length])) length++;
    if (length > 16) throw new Error('jpeg: no such code');
    return (length << 8) | present(this.#symbols[(bits >> (16 - length)) + present(this.#offsets[length])]);
  }
}
