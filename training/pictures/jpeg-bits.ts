/** Reads the bits of a scan: Huffman codes, and the values that follow them. */
import { present } from '../arrays/index.ts';
import { type HuffmanTable, LOOKUP, signed } from './jpeg-huffman.ts';
import { isRestart } from './jpeg-segments.ts';

/**
 * The bits of a code that are looked up at once; a constant of this module, which V8 reads faster than an imported one.
 */
const LOOKUP_MASK = (1 << LOOKUP) - 1;

/**
 * Reads a scan bit by bit. What runs for each code reads elements with `?? 0`, since `present` costs some percent
 * there.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  /** The end of the scan's data. */
  readonly #end: number;
  #at: number;
  /** Bits that have been read ahead; the lowest `#count` of them are still to be decoded. */
  #bits = 0;
  #count = 0;
  /** The number of those bits that lie beyond the data. */
  #missing = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Is true where bits beyond the data have been decoded, which read as zeros. */
  get isExhausted(): boolean {
    return this.#count < this.#missing;
  }

  /**
   * Skips the rest of an interval and the restart marker behind it.
   *
   * @param number of the restart; markers count them modulo 8
   * @throws Error where the next marker is another one
   */
  restart(number: number): void {
    const bytes = this.#bytes;
    const last = this.#end - 1;
    while (this.#at < last && !(bytes[this.#at] === 0xff && isRestart(present(bytes[this.#at + 1])))) this.#at++;
    if (this.#at >= last || (present(bytes[this.#at + 1]) & 7) !== (number & 7)) {
      throw new Error('jpeg: a restart marker is missing');
    }
    this.#at += 2;
    this.#bits = this.#count = this.#missing = 0;
  }

  /** Reads a symbol of at most 8 bits. */
  symbol(table: HuffmanTable): number {
    if (this.#count < 16) this.#fill();
    let entry = table.lookup[(this.#bits >>> (this.#count - LOOKUP)) & LOOKUP_MASK] ?? 0;
    if (entry === 0) entry = table.search((this.#bits >>> (this.#count - 16)) & 0xffff);
    this.#count -= entry >> 8;
    return entry & 0xff;
  }

  /**
   * Reads the code of a coefficient, and its value.
   *
   * @returns value · 256 + zeros before it · 16 + a number that is 0 where the code has no value
   */
  coefficient(table: HuffmanTable): number {
    if (this.#count < LOOKUP) this.#fill();
    const known = table.coefficients[(this.#bits >>> (this.#count - LOOKUP)) & LOOKUP_MASK] ?? 0;
    if (known !== 0) {
      this.#count -= known & 15;
      return known;
    }
    const symbol = this.symbol(table);
    const size = symbol & 15;
    return size === 0 ? symbol : (this.signed(size) << 8) | symbol;
  }

  /** Reads a signed number of `size` bits, at most 15. */
  signed(size: number): number {
    return signed(this.take(size), size);
  }

  /** Reads at most 16 bits. */
  take(count: number): number {
    if (this.#count < count) this.#fill();
    this.#count -= count;
    return (this.#bits >>> this.#count) & ((1 << count) - 1);
  }

  /** Reads ahead until there are at least 25 bits. After the data there are zeros. */
  #fill(): void {
    const bytes = this.#bytes;
    while (this.#count <= 24) {
      let byte = 0;
      if (this.#at >= this.#end) this.#missing += 8;
      else {
        byte = bytes[this.#at] ?? 0;
        if (byte !== 0xff) this.#at++;
        else if (bytes[this.#at + 1] === 0) this.#at += 2;
        else {
          // A marker ends the data, and is not consumed.
          byte = 0;
          this.#missing += 8;
        }
      }
      this.#bits = (this.#bits << 8) | byte;
      this.#count += 8;
    }
  }
}
