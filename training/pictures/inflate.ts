/**
 * Inflates deflate data in pieces, so that only a window of the output is in memory, and no garbage is produced.
 *
 * Sources: https://www.rfc-editor.org/rfc/rfc1950 and rfc1951
 *
 * It is written here since fflate's stream took twice as long and left 22 to 34 MB of garbage for 50 MB of output; this
 * code leaves none.
 *
 * What runs for each symbol reads elements with `?? 0`, since `present` costs some percent there.
 */

import { present } from '../arrays/index.ts';
import { DeflateCode, LOOKUP } from './deflate-code.ts';

/** The compressed bytes: consecutive parts of a file. */
export interface Compressed {
  readonly file: Uint8Array;
  /** The start and end of each part. */
  readonly parts: readonly (readonly [start: number, end: number])[];
}

export interface InflateLimits {
  /** The minimum size of the output in bytes. */
  readonly min: number;
  /** The maximum size of the output in bytes. */
  readonly max: number;
  /**
   * Is called with the number of each block that has Huffman codes: setting up the codes costs far more time than a
   * tiny block's content.
   */
  readonly onCodes: (number: number) => void;
}

const WINDOW = 1 << 15;
const LONGEST_MATCH = 258;
const CAPACITY = 4 * WINDOW;

/**
 * The bits of a code that are looked up at once; a constant of this module, which V8 reads faster than an imported one.
 */
const LOOKUP_MASK = (1 << LOOKUP) - 1;

const END_OF_BLOCK = 256;

// oxfmt-ignore
const LENGTHS = Uint16Array.of(3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258);
// oxfmt-ignore
const LENGTH_BITS = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0);
// oxfmt-ignore
const DISTANCES = Uint16Array.of(
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193,
  12289, 16385, 24577,
);
// oxfmt-ignore
const DISTANCE_BITS = Uint8Array.of(0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13);
/** The order in which the code lengths of the code-length alphabet are stored. */
const ORDER = Uint8Array.of(16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15);

/** The output is larger than the limit. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError';
}

/**
 * Inflates data in zlib's format. It calls `take` with each piece of the output, which is overwritten after the call.
 * The checksum behind the data is not checked.
 *
 * @throws TooLongError where the output exceeds the limit; Error where the data are damaged or too short
 */
export function inflate(compressed: Compressed, limits: InflateLimits, take: (piece: Uint8Array) => void): void {
  const inflater = new Inflater(compressed, limits, take);
  inflater.skipHeader();
  inflater.run();
}

/**
 * Inflates data without zlib's header.
 *
 * @returns the number of bytes in the file's last part behind the data
 */
export function inflateRaw(compressed: Compressed, limits: InflateLimits, take: (piece: Uint8Array) => void): number {
  return new Inflater(compressed, limits, take).run();
}

class Inflater {
  readonly #file: Uint8Array;
  readonly #parts: Compressed['parts'];
  readonly #limits: InflateLimits;
  readonly #take: (piece: Uint8Array) => void;
  readonly #output = new Uint8Array(CAPACITY);
  readonly #lengths = new Uint8Array(320);
  readonly #symbols = new DeflateCode(288);
  readonly #distances = new DeflateCode(32);
  readonly #lengthsCode = new DeflateCode(19);
  #part = 0;
  #at = 0;
  #end = 0;
  /** Bits that have been read ahead; the lowest comes first. */
  #bits = 0;
  #count = 0;
  /** The number of bytes read beyond the end; they read as zeros. */
  #missing = 0;
  #position = 0;
  #taken = 0;
  #size = 0;
  #codes = 0;
  /** Is true where the codes are the fixed ones of the standard. */
  #isFixed = false;

  constructor({ file, parts }: Compressed, limits: InflateLimits, take: (piece: Uint8Array) => void) {
    this.#file = file;
    this.#parts = parts;
    this.#limits = limits;
    this.#take = take;
  }

  skipHeader(): void {
    const [method, flags] = [this.#read(8), this.#read(8)];
    if ((method & 15) !== 8 || (method * 256 + flags) % 31 !== 0 || (flags & 32) !== 0)
      throw new Error('zlib: no header');
  }

  run(): number {
    for (let isLast = false; !isLast;) {
      isLast = this.#read(1) === 1;
      const type = this.#read(2);
      if (type === 0) this.#stored();
      else this.#withCodes(type);
    }
    this.#flush();
    if (this.#size < this.#limits.min) throw new Error('deflate: too few bytes');
    // Whole bytes that were read ahead and not consumed, without those beyond the end.
    return this.#end - this.#at + (this.#count >> 3) - this.#missing;
  }

  #withCodes(type: number): void {
    this.#limits.onCodes(++this.#codes);
    if (type === 3) throw new Error('deflate: no such block');
    if (type === 2) this.#readCodes();
    else if (!this.#isFixed) this.#setFixedCodes();
    this.#isFixed = type === 1;
    this.#coded();
  }

  #setFixedCodes(): void {
    const lengths = this.#lengths.fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288);
    this.#symbols.assign(lengths.subarray(0, 288));
    this.#distances.assign(lengths.fill(5).subarray(0, 30));
  }

  #stored(): void {
    this.#read(this.#count & 7);
    const [length, complement] = [this.#read(16), this.#read(16)];
    if ((length ^ complement) !== 0xffff) throw new Error('deflate: a damaged length');
    for (let i = 0; i < length; i++) {
      this.#output[this.#position++] = this.#read(8);
      if (this.#position > CAPACITY - LONGEST_MATCH) this.#flush();
    }
  }

  #readCodes(): void {
    const [symbols, distances, own] = [this.#read(5) + 257, this.#read(5) + 1, this.#read(4) + 4];
    const lengths = this.#lengths.fill(0);
    for (let i = 0; i < own; i++) lengths[present(ORDER[i])] = this.#read(3);
    this.#lengthsCode.assign(lengths.subarray(0, 19));
    lengths.fill(0);
    for (let i = 0; i < symbols + distances;) {
      const symbol = this.#symbol(this.#lengthsCode);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) throw new Error('deflate: nothing to repeat');
      const length = symbol === 16 ? present(lengths[i - 1]) : 0;
      const times = symbol === 16 ? 3 + this.#read(2) : symbol === 17 ? 3 + this.#read(3) : 11 + this.#read(7);
      if (i + times > symbols + distances) throw new Error('deflate: too many lengths');
      lengths.fill(length, i, i + times);
      i += times;
    }
    this.#symbols.assign(lengths.subarray(0, symbols));
    this.#distances.assign(lengths.subarray(symbols, symbols + distances));
  }

  #coded(): void {
    const output = this.#output;
    for (let symbol = this.#symbol(this.#symbols); symbol !== END_OF_BLOCK; symbol = this.#symbol(this.#symbols)) {
      if (symbol < END_OF_BLOCK) output[this.#position++] = symbol;
      else this.#copy(symbol - END_OF_BLOCK - 1);
      if (this.#position > CAPACITY - LONGEST_MATCH) this.#flush();
    }
  }

  #copy(code: number): void {
    if (code >= LENGTHS.length) throw new Error('deflate: no such length');
    const length = (LENGTHS[code] ?? 0) + this.#read(LENGTH_BITS[code] ?? 0);
    const far = this.#symbol(this.#distances);
    if (far >= DISTANCES.length) throw new Error('deflate: no such distance');
    const distance = (DISTANCES[far] ?? 0) + this.#read(DISTANCE_BITS[far] ?? 0);
    const output = this.#output;
    const to = this.#position;
    if (distance > to) throw new Error('deflate: a distance beyond the beginning');
    this.#position += length;
    if (distance === 1) output.fill(output[to - 1] ?? 0, to, to + length);
    else if (distance >= length && length > 16) output.copyWithin(to, to - distance, to - distance + length);
    else for (let i = to; i < to + length; i++) output[i] = output[i - distance] ?? 0;
  }

  /** Passes on the output, and keeps the window that matches may refer to. */
  #flush(): void {
    const position = this.#position;
    this.#size += position - this.#taken;
    if (this.#size > this.#limits.max) throw new TooLongError('deflate: too many bytes');
    this.#take(this.#output.subarray(this.#taken, position));
    const kept = Math.min(position, WINDOW);
    this.#output.copyWithin(0, position - kept, position);
    this.#position = this.#taken = kept;
  }

  #symbol(code: DeflateCode): number {
    if (this.#count < 15) this.#fill();
    const entry = code.lookup[this.#bits & LOOKUP_MASK] ?? 0;
    if (entry === 0) return this.#search(code);
    this.#bits >>>= entry & 15;
    this.#count -= entry & 15;
    return entry >> 4;
  }

  #search({ counts, symbols }: DeflateCode): number {
    for (let length = 1, code = 0, first = 0, place = 0; length < 16; length++) {
      code |= (this.#bits >>> (length - 1)) & 1;
      const count = present(counts[length]);
      if (code - first < count) {
        this.#bits >>>= length;
        this.#count -= length;
        return present(symbols[place + code - first]);
      }
      place += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new Error('deflate: no such code');
  }

  /** Reads a number of at most 16 bits. */
  #read(count: number): number {
    if (this.#count < count) this.#fill();
    const value = this.#bits & ((1 << count) - 1);
    this.#bits >>>= count;
    this.#count -= count;
    return value;
  }

  /** Reads ahead until there are at least 24 bits. */
  #fill(): void {
    while (this.#count <= 23) {
      while (this.#at === this.#end && this.#part < this.#parts.length) {
        [this.#at, this.#end] = present(this.#parts[this.#part++]);
      }
      if (this.#at < this.#end) this.#bits |= (this.#file[this.#at++] ?? 0) << this.#count;
      else if (++this.#missing > 4) throw new Error('deflate: the data end too early');
      this.#count += 8;
    }
  }
}
