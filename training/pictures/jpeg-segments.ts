/**
 * Reads the segments of a JPEG file before any decoding: its frame, and for each scan its parameters, its tables and
 * where its data lie. A file that would take more work to decode than those of cameras, phones or browsers is refused
 * here, in one pass over its bytes.
 *
 * Source: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B
 */
import { present } from '../arrays/index.ts';
import { type Component, type Jpeg, type JpegColour, type Scan, type ScanPart, ZIGZAG } from './jpeg-format.ts';
import { damaged, LIMITS, PictureError, requireAtMost, requireSize } from './picture.ts';

const marker = {
  temporary: 0x01,
  baseline: 0xc0,
  extended: 0xc1,
  progressive: 0xc2,
  huffman: 0xc4,
  reserved: 0xc8,
  arithmetic: 0xcc,
  lastFrame: 0xcf,
  firstRestart: 0xd0,
  lastRestart: 0xd7,
  end: 0xd9,
  scan: 0xda,
  quantization: 0xdb,
  restarts: 0xdd,
  jfif: 0xe0,
  adobe: 0xee,
} as const;

export const isRestart = (code: number): boolean => code >= marker.firstRestart && code <= marker.lastRestart;

/** Is true for SOF0 to SOF15, except DHT, JPG and DAC, which lie among them. */
const isFrame = (code: number): boolean =>
  code >= marker.baseline &&
  code <= marker.lastFrame &&
  code !== marker.huffman &&
  code !== marker.reserved &&
  code !== marker.arithmetic;

/**
 * Reads the segments of a JPEG file.
 *
 * @throws PictureError where the file is damaged, larger or more work than the limits allow, or of an unsupported kind
 */
export function readJpeg(bytes: Uint8Array): Jpeg {
  return new SegmentReader(bytes).read();
}

/** A component while the segments are being read. */
interface Declared extends Omit<Component, 'quantization'> {
  readonly table: number;
  /** Is fixed by the first scan of the component. */
  quantization?: Int32Array;
  /** For each coefficient, the bit position down to which it is known; −1 where it is not known. */
  readonly known: Int8Array;
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly across: number;
  readonly down: number;
  readonly isProgressive: boolean;
  readonly components: readonly Declared[];
}

class SegmentReader {
  readonly #bytes: Uint8Array;
  readonly #scans: Scan[] = [];
  /**
   * The offsets of tables by their numbers; Huffman tables for AC are numbered from 4 on. A table is read when a scan
   * uses it.
   */
  readonly #huffman: (number | undefined)[] = [];
  readonly #quantization: ({ readonly at: number; readonly wide: boolean } | undefined)[] = [];
  #frame: Frame | undefined;
  #segments = 0;
  #restarts = 0;
  #isJfif = false;
  #adobe: number | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(): Jpeg {
    const bytes = this.#bytes;
    for (let at = 2; at + 4 <= bytes.length;) {
      const code = this.#byte(at + 1);
      if (bytes[at] !== 0xff) throw damaged('jpeg');
      if (code === marker.end) break;
      if (code === 0xff) at += 1;
      else if (code === marker.temporary || isRestart(code)) at += 2;
      else at = this.#segment(code, at + 4, at + 2 + this.#word(at + 2));
    }
    return this.#jpeg();
  }

  #jpeg(): Jpeg {
    if (!this.#frame) throw damaged('jpeg');
    const { components, ...frame } = this.#frame;
    return {
      ...frame,
      colour: this.#colour(components),
      components: components.map(({ quantization, known, ...component }) => {
        if (!quantization || known[0] === -1) throw damaged('jpeg');
        return { ...component, quantization };
      }),
      scans: this.#scans,
    };
  }

  /** @returns the offset of the next segment */
  #segment(code: number, at: number, end: number): number {
    requireAtMost('jpeg', 'segments', LIMITS.segments, ++this.#segments, 'more');
    if (end < at || end > this.#bytes.length) throw damaged('jpeg');
    if (isFrame(code)) this.#readFrame(code, at, end);
    else if (code === marker.huffman) this.#findHuffman(at, end);
    else if (code === marker.quantization) this.#findQuantization(at, end);
    else if (code === marker.restarts) this.#restarts = this.#word(at);
    else if (code === marker.jfif) this.#isJfif ||= this.#isText(at, end, 'JFIF');
    else if (code === marker.adobe && this.#isText(at, end, 'Adobe') && end - at >= 12)
      this.#adobe = this.#byte(at + 11);
    else if (code === marker.scan) return this.#readScan(at, end);
    return end;
  }

  #readFrame(code: number, at: number, end: number): void {
    const [precision, count] = [this.#byte(at), this.#byte(at + 5)];
    const [height, width] = [this.#word(at + 1), this.#word(at + 3)];
    if (this.#frame || end < at + 6 + 3 * count) throw damaged('jpeg');
    requireSize('jpeg', width, height);
    if (code > marker.progressive || precision !== 8 || ![1, 3, 4].includes(count)) {
      const expected = 'baseline or progressive with 8 bits and 1, 3 or 4 channels';
      const got = `SOF${code - marker.baseline} with ${precision} bits and ${count} channels`;
      throw new PictureError('another format', `jpeg: expected ${expected}, got ${got}`);
    }
    const declared = Array.from({ length: count }, (_, i) => {
      const [id = 0, sampling = 0, table = 0] = this.#bytes.subarray(at + 6 + 3 * i, at + 9 + 3 * i);
      return { id, across: sampling >> 4, down: sampling & 15, table };
    });
    const [across, down] = [
      Math.max(...declared.map((component) => component.across)),
      Math.max(...declared.map((component) => component.down)),
    ];
    const isSampled = declared.every((part) => isFactor(part.across, across) && isFactor(part.down, down));
    if (!isSampled) {
      const got = declared.map((component) => `${component.across}x${component.down}`).join(' ');
      throw new PictureError('another format', `jpeg: expected channels at a whole fraction of the size, got ${got}`);
    }
    const components = declared.map((component): Declared => {
      const columns = Math.ceil((width * component.across) / across);
      const rows = Math.ceil((height * component.down) / down);
      const blocks = { blocksAcross: Math.ceil(columns / 8), blocksDown: Math.ceil(rows / 8) };
      return { ...component, width: columns, height: rows, ...blocks, known: new Int8Array(64).fill(-1) };
    });
    this.#frame = { width, height, across, down, isProgressive: code === marker.progressive, components };
  }

  #findHuffman(start: number, end: number): void {
    for (let at = start; at < end;) {
      const number = this.#byte(at);
      let symbols = 0;
      for (let length = 1; length <= 16; length++) symbols += this.#byte(at + length);
      if ((number & 0xec) !== 0 || symbols > 256 || at + 17 + symbols > end) throw damaged('jpeg');
      this.#huffman[(number >> 2) + (number & 3)] = at + 1;
      at += 17 + symbols;
    }
  }

  #findQuantization(start: number, end: number): void {
    for (let at = start; at < end;) {
      const number = this.#byte(at);
      const wide = number >> 4 === 1;
      if ((number & 0xec) !== 0) throw damaged('jpeg');
      this.#quantization[number & 3] = { at: at + 1, wide };
      at += wide ? 129 : 65;
      if (at > end) throw damaged('jpeg');
    }
  }

  #readScan(at: number, headerEnd: number): number {
    const frame = this.#frame;
    const count = this.#byte(at);
    if (!frame || count < 1 || count > 4 || headerEnd < at + 4 + 2 * count) throw damaged('jpeg');
    requireAtMost('jpeg', 'scans', LIMITS.scans, this.#scans.length + 1);
    const parts = Array.from({ length: count }, (_, i): ScanPart => {
      const [id, tables] = [this.#byte(at + 1 + 2 * i), this.#byte(at + 2 + 2 * i)];
      const component = frame.components.findIndex((candidate) => candidate.id === id);
      return { component, dc: this.#huffman[(tables >> 4) & 3], ac: this.#huffman[4 + (tables & 3)] };
    });
    if (new Set(parts.map(({ component }) => component)).size < count) throw damaged('jpeg');
    const approximation = this.#byte(at + 3 + 2 * count);
    const range = frame.isProgressive
      ? {
          first: this.#byte(at + 1 + 2 * count),
          last: this.#byte(at + 2 + 2 * count),
          high: approximation >> 4,
          low: approximation & 15,
        }
      : { first: 0, last: 63, high: 0, low: 0 };
    for (const { component } of parts) this.#learn(frame.components[component], range, frame.isProgressive, count);
    const end = this.#endOfScan(headerEnd);
    this.#scans.push({ parts, ...range, restarts: this.#restarts, start: headerEnd, end });
    return end;
  }

  /**
   * Records the bits that a scan gives of a component. Every bit may come only once, from the highest on, so that a
   * file cannot cause work by repeating scans.
   */
  #learn(
    component: Declared | undefined,
    { first, last, high, low }: Pick<Scan, 'first' | 'last' | 'high' | 'low'>,
    isProgressive: boolean,
    parts: number,
  ): void {
    if (!component || last > 63 || first > last || low > 13) throw damaged('jpeg');
    if (isProgressive) {
      const isDc = first === 0;
      if (isDc ? last !== 0 : parts > 1 || component.known[0] === -1) throw damaged('jpeg');
    }
    for (let k = first; k <= last; k++) {
      if (component.known[k] !== (high === 0 ? -1 : high) || (high > 0 && low !== high - 1)) throw damaged('jpeg');
      component.known[k] = low;
    }
    component.quantization ??= this.#quantizationOf(component.table);
  }

  #quantizationOf(number: number): Int32Array {
    const table = this.#quantization[number];
    if (!table) throw damaged('jpeg');
    const { at, wide } = table;
    const values = new Int32Array(64);
    ZIGZAG.forEach((place, k) => {
      values[place] = wide ? this.#word(at + 2 * k) : this.#byte(at + k);
    });
    return values;
  }

  /** Returns the offset of the next marker that does not belong to the scan. */
  #endOfScan(start: number): number {
    const bytes = this.#bytes;
    for (let at = start; at + 1 < bytes.length; at++) {
      if (bytes[at] !== 0xff) continue;
      const code = present(bytes[at + 1]);
      if (code !== 0 && code !== 0xff && !isRestart(code)) return at;
    }
    return bytes.length;
  }

  /** Determines the colour space by the rules of libjpeg. */
  #colour(components: readonly Declared[]): JpegColour {
    if (components.length === 1) return 'grey';
    if (components.length === 4) {
      // Without the marker it is unknown whether 0 means full ink or none.
      if (this.#adobe === undefined) {
        throw new PictureError('another format', 'jpeg: expected an Adobe marker with 4 channels, got none');
      }
      return this.#adobe === 2 ? 'ycck' : 'cmyk';
    }
    if (this.#isJfif) return 'ycc';
    if (this.#adobe !== undefined) return this.#adobe === 0 ? 'rgb' : 'ycc';
    return String.fromCharCode(...components.map(({ id }) => id)) === 'RGB' ? 'rgb' : 'ycc';
  }

  #isText(at: number, end: number, text: string): boolean {
    return (
      at + text.length <= end &&
      Array.from(text).every((character, i) => this.#byte(at + i) === character.charCodeAt(0))
    );
  }

  /** Returns a byte, 0 behind the end: segments that are too short are refused after their fields have been read. */
  #byte(at: number): number {
    return this.#bytes[at] ?? 0;
  }

  #word(at: number): number {
    return (this.#byte(at) << 8) | this.#byte(at + 1);
  }
}

/** Is true for a sampling factor from 1 to 4 that divides the largest one. */
const isFactor = (factor: number, largest: number): boolean => factor >= 1 && factor <= 4 && largest % factor === 0;
