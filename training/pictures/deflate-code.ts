/**
 * The Huffman codes of deflate, prepared so that most symbols are found by a single look-up of the next bits.
 *
 * Source: https://www.rfc-editor.org/rfc/rfc1951#section-3.2.2
 */
import { present } from '../arrays/index.ts';

/** The number of bits that are looked up at once; longer codes are searched. */
export const LOOKUP = 10;

/** A canonical Huffman code. Its codes are read with their first bit lowest. */
export class DeflateCode {
  /**
   * Maps bits to the symbol and the length of the code that they begin with; 0 where the code is longer than `LOOKUP`.
   */
  readonly lookup = new Uint16Array(1 << LOOKUP);
  readonly counts = new Uint16Array(16);
  readonly symbols: Uint16Array;
  readonly #places = new Uint16Array(16);
  readonly #next = new Uint16Array(16);

  constructor(symbols: number) {
    this.symbols = new Uint16Array(symbols);
  }

  /**
   * Sets the code that these lengths define.
   *
   * @throws Error where there are more codes than the bits allow
   */
  assign(lengths: Uint8Array): this {
    const counts = this.counts.fill(0);
    for (const length of lengths) counts[length] = present(counts[length]) + 1;
    counts[0] = 0;
    for (let length = 1, code = 0, place = 0; length < 16; length++) {
      code <<= 1;
      this.#next[length] = code;
      this.#places[length] = place;
      code += present(counts[length]);
      place += present(counts[length]);
      if (code > 1 << length) throw new Error('deflate: more codes than bits');
    }
    this.lookup.fill(0);
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      const length = present(lengths[symbol]);
      if (length > 0) this.#add(symbol, length);
    }
    return this;
  }

  #add(symbol: number, length: number): void {
    const place = present(this.#places[length]);
    this.symbols[place] = symbol;
    this.#places[length] = place + 1;
    const code = present(this.#next[length]);
    this.#next[length] = code + 1;
    if (length > LOOKUP) return;
    let reversed = 0;
    for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
    for (let at = reversed; at < 1 << LOOKUP; at += 1 << length) this.lookup[at] = (symbol << 4) | length;
  }
}
