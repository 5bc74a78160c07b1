/**
 * Decodes the coefficients of a JPEG's blocks from the bits of its scans. Each scan is read only as far as a strip of
 * the picture needs. All scans of a progressive file advance down the picture together, so only one strip of
 * coefficients is in memory.
 *
 * Source: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annexes F and G
 *
 * What runs for each coefficient reads elements with `?? 0`, since `present` costs some percent there.
 */
import { at } from '../arrays/index.ts';
import { BitReader } from './jpeg-bits.ts';
import { HuffmanTable } from './jpeg-huffman.ts';
import { type Component, type Jpeg, type Scan, ZIGZAG } from './jpeg-format.ts';

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
  readonly #bits: BitReader;
  readonly #scan: Scan;
  readonly #parts: readonly Part[];
  readonly #unitsAcross: number;
  readonly #decode: DecodeBlock;
  /** The number of following blocks that an end-of-band run leaves without further coefficients. */
  #emptyBlocks = 0;
  #units = 0;
  #restarts = 0;

  constructor(bytes: Uint8Array, jpeg: Jpeg, scan: Scan, strips: readonly CoefficientStrip[]) {
    this.#bits = new BitReader(bytes, scan.start, scan.end);
    this.#scan = scan;
    this.#unitsAcross = Math.ceil(jpeg.width / (8 * jpeg.across));
    const needsDc = scan.first === 0 && scan.high === 0;
    const needsAc = scan.last > 0;
    this.#parts = scan.parts.map(({ component, dc, ac }): Part => ({
      component: at(jpeg.components, component),
      strip: at(strips, component),
      dc: needsDc ? tableAt(bytes, dc) : undefined,
      ac: needsAc ? tableAt(bytes, ac) : undefined,
      predicted: 0,
    }));
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
    if (this.#bits.isExhausted) throw new Error('jpeg: the scan ends too early');
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
    if (this.#bits.isExhausted) throw new Error('jpeg: the interval ends too early');
    this.#bits.restart(this.#restarts++);
    this.#units = this.#emptyBlocks = 0;
    for (const part of this.#parts) part.predicted = 0;
  }

  /** Reads the difference of a block's first coefficient from that of the block before, and returns the coefficient. */
  #dc(part: Part): number {
    const size = part.dc ? this.#bits.symbol(part.dc) : 0;
    if (size > 15) throw new Error('jpeg: a difference of too many bits');
    if (size > 0) part.predicted += this.#bits.signed(size);
    return part.predicted;
  }

  #sequential(part: Part, block: number): void {
    const { ac, strip } = part;
    const { values, found } = strip;
    const start = block * 64;
    values[start] = this.#dc(part);
    if (!ac) return;
    for (let k = 1; k < 64; k++) {
      const code = this.#bits.coefficient(ac);
      const zeros = (code >> 4) & 15;
      k += zeros;
      if ((code & 15) === 0) {
        if (zeros < 15) break;
        continue;
      }
      if (k > 63) throw new Error('jpeg: a coefficient beyond the block');
      values[start + (ZIGZAG[k] ?? 0)] = code >> 8;
      found[2 * block] = 1;
    }
  }

  #firstDc(part: Part, block: number): void {
    part.strip.values[block * 64] = this.#dc(part) << this.#scan.low;
  }

  #refineDc({ strip: { values } }: Part, block: number): void {
    if (this.#bits.take(1) === 1) values[block * 64] = (values[block * 64] ?? 0) | (1 << this.#scan.low);
  }

  #firstAc({ ac, strip }: Part, block: number): void {
    if (this.#emptyBlocks > 0) {
      this.#emptyBlocks--;
      return;
    }
    if (!ac) return;
    const { first, last, low } = this.#scan;
    const { values, found } = strip;
    for (let k = first; k <= last; k++) {
      const code = this.#bits.coefficient(ac);
      const run = (code >> 4) & 15;
      k += run;
      if ((code & 15) === 0) {
        if (run === 15) continue;
        this.#emptyBlocks = (1 << run) - 1 + (run > 0 ? this.#bits.take(run) : 0);
        return;
      }
      if (k > last) throw new Error('jpeg: a coefficient beyond the band');
      values[block * 64 + (ZIGZAG[k] ?? 0)] = (code >> 8) << low;
      mark(found, block, k);
    }
  }

  #refineAc({ ac, strip }: Part, block: number): void {
    if (!ac) return;
    const { first, last, low } = this.#scan;
    let k = first;
    if (this.#emptyBlocks === 0) {
      while (k <= last) {
        const symbol = this.#bits.symbol(ac);
        const run = symbol >> 4;
        const count = symbol & 15;
        let found = 0;
        if (count > 1) throw new Error('jpeg: a refinement of more than a bit');
        if (count === 1) found = this.#bits.take(1) === 1 ? 1 << low : -1 << low;
        else if (run < 15) {
          this.#emptyBlocks = (1 << run) + (run > 0 ? this.#bits.take(run) : 0);
          break;
        }
        k = this.#refine(strip, block, k, run);
        if (found !== 0) {
          if (k > last) throw new Error('jpeg: a coefficient beyond the band');
          strip.values[block * 64 + (ZIGZAG[k] ?? 0)] = found;
          mark(strip.found, block, k);
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
        if (this.#bits.take(1) === 0) continue;
        const place = start + (ZIGZAG[next] ?? 0);
        const value = values[place] ?? 0;
        values[place] = value < 0 ? value - bit : value + bit;
      }
    }
    return Math.min(k + left, last + 1);
  }
}

function tableAt(bytes: Uint8Array, offset: number | undefined): HuffmanTable {
  if (offset === undefined) throw new Error('jpeg: a table is missing');
  return new HuffmanTable(bytes, offset);
}

/** Marks a coefficient as one that is not 0. */
function mark(found: Int32Array, block: number, k: number): void {
  const word = 2 * block + (k >> 5);
  found[word] = (found[word] ?? 0) | (1 << (k & 31));
}
