/**
 * Decodes the coefficients of a JPEG's blocks from the bits of its scans. Each scan is read only as far as a strip of
 * the picture needs. All scans of a progressive file advance down the picture together, so only one strip of
 * coefficients is in memory.
 *
 * Source: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annexes F and G
 */
import { isRestart, type Component, type Jpeg, type Scan, ZIGZAG } from './jpeg-segments.ts';

/** The coefficients of one component in a strip: blocks of 64, row by row. */
export interface CoefficientStrip {
  /** The number of blocks in a row, padded to whole units. */
  readonly blocks: number;
  readonly values: Int16Array;
  /**
   * Marks the coefficients that are not 0, without the first of each block: two words for a block, a bit for each
   * coefficient in the order of the file. Sequential files only record whether there is any.
   */
  readonly found: Int32Array;
}

/** Converts a value of `size` bits to a signed number: those that begin with a 0 bit are negative. */
const signed = (value: number, size: number): number => (value < 1 << (size - 1) ? value - (1 << size) + 1 : value);

/** The number of bits that are looked up at once; longer codes are searched. */
const LOOKUP = 9;

class HuffmanTable {
  /**
   * Maps bits to the length and the symbol of the code that they begin with; 0 where the code is longer than `LOOKUP`.
   */
  readonly lookup = new Uint16Array(1 << LOOKUP);
  /**
   * Maps bits to a coefficient, the zeros before it and the number of bits of both; 0 where these bits do not hold all
   * of that.
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
      const count = counts[length - 1] ?? 0;
      this.#offsets[length] = place - code;
      for (let i = 0; i < count && length <= LOOKUP; i++) {
        const from = (code + i) << (LOOKUP - length);
        this.lookup.fill((length << 8) | (this.#symbols[place + i] ?? 0), from, from + (1 << (LOOKUP - length)));
      }
      code += count;
      place += count;
      if (code > 1 << length) throw new Error('jpeg: more codes than bits');
      this.#limits[length] = code << (16 - length);
    }
    for (let bits = 0; bits < 1 << LOOKUP; bits++) this.coefficients[bits] = this.#coefficient(bits);
  }

  #coefficient(bits: number): number {
    const entry = this.lookup[bits] ?? 0;
    const size = entry & 15;
    const length = (entry >> 8) + size;
    if (size === 0 || length > LOOKUP) return 0;
    const value = (bits >> (LOOKUP - length)) & ((1 << size) - 1);
    return (signed(value, size) << 8) | (entry & 0xf0) | length;
  }

  /** Returns the length and symbol of the code that these 16 bits begin with. */
  search(bits: number): number {
    let length = LOOKUP + 1;
    while (length <= 16 && bits >= (this.#limits[length] ?? 0)) length++;
    if (length > 16) throw new Error('jpeg: no such code');
    return (length << 8) | (this.#symbols[(bits >> (16 - length)) + (this.#offsets[length] ?? 0)] ?? 0);
  }
}

/** One component of a scan, with the state of its decoding. */
interface Part {
  readonly component: Component;
  readonly strip: CoefficientStrip;
  readonly dc: HuffmanTable | undefined;
  readonly ac: HuffmanTable | undefined;
  /** The first coefficient of the last block; each block stores its difference from it. */
  predicted: number;
}

type DecodeBlock = (part: Part, block: number) => void;

export class ScanReader {
  readonly #bytes: Uint8Array;
  readonly #scan: Scan;
  readonly #parts: readonly Part[];
  readonly #unitsAcross: number;
  readonly #decode: DecodeBlock;
  #at: number;
  /** Bits that have been read ahead; the lowest `#count` of them are still to be decoded. */
  #bits = 0;
  #count = 0;
  /** The number of those bits that lie beyond the data. */
  #missing = 0;
  /** The number of following blocks that an end-of-band run leaves without further coefficients. */
  #emptyBlocks = 0;
  #units = 0;
  #restarts = 0;

  constructor(bytes: Uint8Array, jpeg: Jpeg, scan: Scan, strips: readonly CoefficientStrip[]) {
    this.#bytes = bytes;
    this.#scan = scan;
    this.#at = scan.start;
    this.#unitsAcross = Math.ceil(jpeg.width / (8 * jpeg.across));
    const needs = {
      dc: scan.first === 0 && scan.high === 0,
      ac: scan.last > 0,
    };
    this.#parts = scan.parts.map(({ component: index, dc, ac }): Part => {
      const [component, strip] = [jpeg.components[index], strips[index]];
      if (!component || !strip) throw new Error('internal: no such component');
      const tableAt = (at: number | undefined): HuffmanTable => {
        if (at === undefined) throw new Error('jpeg: a table is missing');
        return new HuffmanTable(bytes, at);
      };
      const tables = {
        dc: needs.dc ? tableAt(dc) : undefined,
        ac: needs.ac ? tableAt(ac) : undefined,
      };
      return { component, strip, ...tables, predicted: 0 };
    });
    this.#decode = this.#decoder(jpeg.isProgressive);
  }

  #decoder(isProgressive: boolean): DecodeBlock {
    const { first, high } = this.#scan;
    if (!isProgressive) return this.#sequential.bind(this);
    if (first === 0) {
      return high === 0 ? this.#firstDc.bind(this) : this.#refineDc.bind(this);
    }
    return high === 0 ? this.#firstAc.bind(this) : this.#refineAc.bind(this);
  }

  /** Decodes up to the end of a strip, which is as high as one unit of all components. */
  read(strip: number): void {
    const [part, ...others] = this.#parts;
    if (others.length > 0) this.#readUnits();
    else if (part) this.#readAlone(part, strip);
    if (this.#count < this.#missing) throw new Error('jpeg: the scan ends too early');
  }

  #readUnits(): void {
    for (let unit = 0; unit < this.#unitsAcross; unit++) {
      this.#beginUnit();
      for (const part of this.#parts) {
        const { across, down } = part.component;
        for (let y = 0; y < down; y++) {
          const block = y * part.strip.blocks + unit * across;
          for (let x = 0; x < across; x++) this.#decode(part, block + x);
        }
      }
    }
  }

  /** Decodes a scan of a single component, which has no blocks beyond the component's own size. */
  #readAlone(part: Part, strip: number): void {
    const { down, blocksAcross, blocksDown } = part.component;
    const rows = Math.min(down, blocksDown - strip * down);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < blocksAcross; x++) {
        this.#beginUnit();
        this.#decode(part, y * part.strip.blocks + x);
      }
    }
  }

  #beginUnit(): void {
    const { restarts } = this.#scan;
    if (restarts > 0 && this.#units === restarts) this.#restart();
    this.#units++;
  }

  #restart(): void {
    const { end } = this.#scan;
    if (this.#count < this.#missing) throw new Error('jpeg: the interval ends too early');
    while (this.#at + 1 < end && !(this.#bytes[this.#at] === 0xff && isRestart(this.#bytes[this.#at + 1] ?? 0)))
      this.#at++;
    if (this.#at + 1 >= end || ((this.#bytes[this.#at + 1] ?? 0) & 7) !== (this.#restarts & 7)) {
      throw new Error('jpeg: a restart marker is missing');
    }
    this.#at += 2;
    this.#restarts++;
    this.#units = this.#bits = this.#count = this.#missing = this.#emptyBlocks = 0;
    for (const part of this.#parts) part.predicted = 0;
  }

  /** Reads ahead until there are at least 25 bits. Behind the data there are zeros. */
  #fill(): void {
    const bytes = this.#bytes;
    while (this.#count <= 24) {
      let byte = 0;
      if (this.#at >= this.#scan.end) this.#missing += 8;
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

  #symbol(table: HuffmanTable): number {
    if (this.#count < 16) this.#fill();
    let entry = table.lookup[(this.#bits >>> (this.#count - LOOKUP)) & ((1 << LOOKUP) - 1)] ?? 0;
    if (entry === 0) entry = table.search((this.#bits >>> (this.#count - 16)) & 0xffff);
    this.#count -= entry >> 8;
    return entry & 0xff;
  }

  /** Takes at most 16 bits. */
  #take(count: number): number {
    if (this.#count < count) this.#fill();
    this.#count -= count;
    return (this.#bits >>> this.#count) & ((1 << count) - 1);
  }

  #signed(size: number): number {
    return signed(this.#take(size), size);
  }

  #difference(part: Part): number {
    const { dc } = part;
    const count = dc ? this.#symbol(dc) : 0;
    if (count > 15) throw new Error('jpeg: a difference of too many bits');
    part.predicted += count === 0 ? 0 : this.#signed(count);
    return part.predicted;
  }

  #sequential(part: Part, block: number): void {
    const { ac, strip } = part;
    const { values } = strip;
    const start = block * 64;
    values[start] = this.#difference(part);
    if (!ac) return;
    for (let k = 1; k < 64; k++) {
      if (this.#count < LOOKUP) this.#fill();
      const known = ac.coefficients[(this.#bits >>> (this.#count - LOOKUP)) & ((1 << LOOKUP) - 1)] ?? 0;
      let value = known >> 8;
      if (known !== 0) {
        this.#count -= known & 15;
        k += (known >> 4) & 15;
      } else {
        const symbol = this.#symbol(ac);
        k += symbol >> 4;
        if ((symbol & 15) === 0) {
          if (symbol !== 0xf0) break;
          continue;
        }
        value = this.#signed(symbol & 15);
      }
      if (k > 63) throw new Error('jpeg: a coefficient beyond the block');
      values[start + (ZIGZAG[k] ?? 0)] = value;
      strip.found[2 * block] = 1;
    }
  }

  #firstDc(part: Part, block: number): void {
    part.strip.values[block * 64] = this.#difference(part) << this.#scan.low;
  }

  #refineDc({ strip: { values } }: Part, block: number): void {
    if (this.#take(1) === 1) values[block * 64] = (values[block * 64] ?? 0) | (1 << this.#scan.low);
  }

  #firstAc({ ac, strip }: Part, block: number): void {
    if (this.#emptyBlocks > 0) {
      this.#emptyBlocks--;
      return;
    }
    if (!ac) return;
    const { first, last, low } = this.#scan;
    const { values } = strip;
    for (let k = first; k <= last; k++) {
      if (this.#count < LOOKUP) this.#fill();
      const known = ac.coefficients[(this.#bits >>> (this.#count - LOOKUP)) & ((1 << LOOKUP) - 1)] ?? 0;
      let value = known >> 8;
      if (known !== 0) {
        this.#count -= known & 15;
        k += (known >> 4) & 15;
      } else {
        const symbol = this.#symbol(ac);
        const run = symbol >> 4;
        k += run;
        if ((symbol & 15) === 0) {
          if (run === 15) continue;
          this.#emptyBlocks = (1 << run) - 1 + (run > 0 ? this.#take(run) : 0);
          return;
        }
        value = this.#signed(symbol & 15);
      }
      if (k > last) throw new Error('jpeg: a coefficient beyond the band');
      values[block * 64 + (ZIGZAG[k] ?? 0)] = value << low;
      note(strip.found, block, k);
    }
  }

  #refineAc({ ac, strip }: Part, block: number): void {
    if (!ac) return;
    const { first, last, low } = this.#scan;
    let k = first;
    if (this.#emptyBlocks === 0) {
      while (k <= last) {
        const symbol = this.#symbol(ac);
        const run = symbol >> 4;
        const count = symbol & 15;
        let found = 0;
        if (count > 1) throw new Error('jpeg: a refinement of more than a bit');
        if (count === 1) found = this.#take(1) === 1 ? 1 << low : -1 << low;
        else if (run < 15) {
          this.#emptyBlocks = (1 << run) + (run > 0 ? this.#take(run) : 0);
          break;
        }
        k = this.#refine(strip, block, k, run);
        if (found !== 0) {
          if (k > last) throw new Error('jpeg: a coefficient beyond the band');
          strip.values[block * 64 + (ZIGZAG[k] ?? 0)] = found;
          note(strip.found, block, k);
        }
        k++;
      }
    }
    if (this.#emptyBlocks > 0) {
      this.#refine(strip, block, k, 64);
      this.#emptyBlocks--;
    }
  }

  /**
   * Reads one more bit of each coefficient that is not 0, from `k` on, and passes up to `zeros` coefficients that are
   * 0. Bit masks skip the zeros, so that the work depends on the scan's bits alone.
   *
   * @returns the position of the next coefficient that is 0
   */
  #refine({ values, found }: CoefficientStrip, block: number, from: number, zeros: number): number {
    const { last, low } = this.#scan;
    const start = block * 64;
    const bit = 1 << low;
    let left = zeros;
    let k = from;
    for (let word = k >> 5; word < 2; word++) {
      // The coefficients of this word that are not 0, from k on.
      let rest = (found[2 * block + word] ?? 0) & (k > 32 * word ? -1 << (k & 31) : -1);
      for (; rest !== 0; rest &= rest - 1) {
        const next = 32 * word + 31 - Math.clz32(rest & -rest);
        if (next > last || next - k > left) return Math.min(k + left, last + 1);
        left -= next - k;
        k = next + 1;
        if (this.#take(1) === 0) continue;
        const place = start + (ZIGZAG[next] ?? 0);
        const value = values[place] ?? 0;
        values[place] = value < 0 ? value - bit : value + bit;
      }
    }
    return Math.min(k + left, last + 1);
  }
}

function note(found: Int32Array, block: number, k: number): void {
  const word = 2 * block + (k >> 5);
  found[word] = (found[word] ?? 0) | (1 << (k & 31));
}
