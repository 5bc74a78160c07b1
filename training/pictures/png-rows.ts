/**
 * Converts a PNG's compressed rows to pixels: the filter of each row is undone, and every sample becomes a byte.
 *
 * Source: https://www.w3.org/TR/png-3/#7Scanline and #9Filters
 *
 * It is written here since decoders for JavaScript hold the whole picture in memory, and fast-png (8.0.0) does not read
 * interlaced pictures of fewer than 8 bits.
 *
 * What runs for each byte or sample reads elements with `?? 0`, since `present` costs some percent there.
 */
import { at as elementAt } from '../arrays/index.ts';
import { type Compressed, inflate } from './inflate.ts';
import { damaged, giveBack, LIMITS, PictureError, requireAtMost } from './picture.ts';

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** The bits of a sample. */
  readonly depth: number;
  /** The colour type: 0 grey, 2 colour, 3 palette, 4 grey and alpha, 6 colour and alpha. */
  readonly colour: number;
  readonly isInterlaced: boolean;
}

/** The chunks that say what a sample means. */
export interface PngColours {
  readonly palette: Uint8Array | undefined;
  /**
   * The alpha of each colour of the palette, or the one grey or colour that is transparent, with two bytes for each
   * sample.
   */
  readonly transparency: Uint8Array | undefined;
}

/** A pass: every `across`-th pixel of every `down`-th row, starting at (left, top). */
interface Pass {
  readonly left: number;
  readonly top: number;
  readonly across: number;
  readonly down: number;
}

const whole: readonly Pass[] = [{ left: 0, top: 0, across: 1, down: 1 }];
const adam7: readonly Pass[] = [
  { left: 0, top: 0, across: 8, down: 8 },
  { left: 4, top: 0, across: 8, down: 8 },
  { left: 0, top: 4, across: 4, down: 8 },
  { left: 2, top: 0, across: 4, down: 4 },
  { left: 0, top: 2, across: 2, down: 4 },
  { left: 1, top: 0, across: 2, down: 2 },
  { left: 0, top: 1, across: 1, down: 2 },
];

/** The samples of a pixel by colour type; 0 where there is no such type. */
const SAMPLES = [1, 0, 3, 1, 2, 0, 4] as const;

/** Returns the size of the picture's rows in bytes, each with one byte for its filter. */
export function rowsSize(header: PngHeader): number {
  return passesOf(header).reduce((size, { rowBytes, rows }) => size + rows * (rowBytes + 1), 0);
}

/**
 * Calls `take` with each row of pixels, which is overwritten after the call.
 *
 * @throws PictureError where the data are damaged, or exceed a limit
 */
export function readPngRows(
  header: PngHeader,
  colours: PngColours,
  compressed: Compressed,
  take: (row: Uint8Array) => void,
): void {
  const { width, height } = header;
  const channels = pngChannels(header, colours);
  if (!header.isInterlaced) {
    inflateRows(header, colours, compressed, (row) => {
      take(row);
    });
    return;
  }
  const whole = new Uint8Array(width * height * channels);
  inflateRows(header, colours, compressed, (row, { left, top, across, down }, y) => {
    let to = ((top + y * down) * width + left) * channels;
    for (let from = 0; from < row.length; from += channels, to += across * channels) {
      for (let channel = 0; channel < channels; channel++) whole[to + channel] = row[from + channel] ?? 0;
    }
  });
  for (let y = 0; y < height; y++) take(whole.subarray(y * width * channels, (y + 1) * width * channels));
  giveBack(whole);
}

type TakeRow = (row: Uint8Array, pass: Pass, y: number) => void;

/** Inflates the rows of all passes. */
function inflateRows(header: PngHeader, colours: PngColours, compressed: Compressed, take: TakeRow): void {
  const passes = passesOf(header);
  const size = rowsSize(header);
  const max = LIMITS.deflateCodes + passes.reduce((sum, { rows }) => sum + rows, 0) + Math.ceil(size / 4096);
  const onCodes = (number: number): void => {
    requireAtMost('png', 'blocks of deflate', max, number, 'more');
  };
  const reader = new RowReader(header, colours, passes, take);
  try {
    inflate(compressed, { min: size, max: size, onCodes }, (piece) => {
      reader.push(piece);
    });
  } catch (error) {
    throw error instanceof PictureError ? error : damaged('png');
  }
}

/** Splits inflated bytes into rows, and converts these to pixels. */
class RowReader {
  readonly #passes: readonly WholePass[];
  readonly #take: TakeRow;
  readonly #pixelBytes: number;
  readonly #convert: RowConverter;
  #pass = 0;
  #y = 0;
  /** The row that is being read, with its filter in front, and the row above it. */
  #row: Uint8Array;
  #above: Uint8Array;
  #filled = 0;

  constructor(header: PngHeader, colours: PngColours, passes: readonly WholePass[], take: TakeRow) {
    const longest = Math.max(...passes.map(({ rowBytes }) => rowBytes)) + 1;
    this.#passes = passes;
    this.#take = take;
    this.#pixelBytes = Math.ceil((elementAt(SAMPLES, header.colour) * header.depth) / 8);
    this.#convert = rowConverter(header, colours);
    this.#row = new Uint8Array(longest);
    this.#above = new Uint8Array(longest);
  }

  push(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) {
      const pass = this.#passes[this.#pass];
      if (!pass) return;
      const length = Math.min(pass.rowBytes + 1 - this.#filled, piece.length - at);
      this.#row.set(piece.subarray(at, at + length), this.#filled);
      at += length;
      this.#filled += length;
      if (this.#filled === pass.rowBytes + 1) this.#finish(pass);
    }
  }

  #finish(pass: WholePass): void {
    const [row, above] = [this.#row, this.#above];
    if (this.#y === 0) above.fill(0);
    undoFilter(row, above, pass.rowBytes + 1, this.#pixelBytes);
    this.#take(this.#convert(row.subarray(1, pass.rowBytes + 1), pass.columns), pass, this.#y);
    [this.#row, this.#above, this.#filled] = [above, row, 0];
    if (++this.#y < pass.rows) return;
    [this.#y, this.#pass] = [0, this.#pass + 1];
  }
}

interface WholePass extends Pass {
  readonly columns: number;
  readonly rows: number;
  readonly rowBytes: number;
}

function passesOf({ width, height, depth, colour, isInterlaced }: PngHeader): WholePass[] {
  const passes = (isInterlaced ? adam7 : whole).map((pass) => {
    const columns = Math.ceil((width - pass.left) / pass.across);
    const rows = Math.ceil((height - pass.top) / pass.down);
    return { ...pass, columns, rows, rowBytes: Math.ceil((columns * elementAt(SAMPLES, colour) * depth) / 8) };
  });
  return passes.filter(({ columns, rows }) => columns > 0 && rows > 0);
}

/**
 * Undoes a row's filter, which subtracted a prediction from each byte. The prediction comes from the neighbouring
 * pixels to the left, above, and above left.
 *
 * @param end of the row, whose first byte is its filter
 * @param step the distance to the same byte of the next pixel
 */
function undoFilter(row: Uint8Array, above: Uint8Array, end: number, step: number): void {
  const filter = row[0] ?? 0;
  const second = Math.min(step + 1, end);
  if (filter === 1) {
    for (let i = second; i < end; i++) row[i] = (row[i] ?? 0) + (row[i - step] ?? 0);
  } else if (filter === 2) {
    for (let i = 1; i < end; i++) row[i] = (row[i] ?? 0) + (above[i] ?? 0);
  } else if (filter === 3) {
    for (let i = 1; i < second; i++) row[i] = (row[i] ?? 0) + ((above[i] ?? 0) >> 1);
    for (let i = second; i < end; i++) row[i] = (row[i] ?? 0) + (((row[i - step] ?? 0) + (above[i] ?? 0)) >> 1);
  } else if (filter === 4) {
    for (let i = 1; i < second; i++) row[i] = (row[i] ?? 0) + (above[i] ?? 0);
    for (let i = second; i < end; i++) {
      row[i] = (row[i] ?? 0) + paeth(row[i - step] ?? 0, above[i] ?? 0, above[i - step] ?? 0);
    }
  } else if (filter !== 0) throw new Error('png: no such filter');
}

/** Returns the one of the three that is nearest to left + above − corner. */
function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** Returns the bytes of a pixel in `Picture`: with alpha where something may be transparent. */
export function pngChannels({ colour }: PngHeader, { transparency }: PngColours): 1 | 2 | 3 | 4 {
  const isGrey = colour === 0 || colour === 4;
  const isOpaque = colour < 4 && !transparency;
  if (isGrey) return isOpaque ? 1 : 2;
  return isOpaque ? 3 : 4;
}

/** Converts a row without its filter to pixels. The array is reused by the next call. */
type RowConverter = (row: Uint8Array, columns: number) => Uint8Array;

function rowConverter(header: PngHeader, colours: PngColours): RowConverter {
  const { width, depth, colour } = header;
  const channels = pngChannels(header, colours);
  const pixels = new Uint8Array(width * channels);
  const samples = elementAt(SAMPLES, colour);
  if (samples === 1 && depth <= 8) return indexConverter(depth, meanings(header, colours), channels, pixels);
  if (depth === 8 && channels === samples) return (row) => row;
  const isKey = keyTest(header, colours.transparency);
  const bytes = depth / 8;
  return (row, columns) => {
    for (let x = 0, from = 0, to = 0; x < columns; x++, from += samples * bytes, to += channels) {
      // Of two bytes, the higher one is kept.
      for (let sample = 0; sample < samples; sample++) pixels[to + sample] = row[from + sample * bytes] ?? 0;
      if (samples < channels) pixels[to + samples] = isKey(row, from) ? 0 : 255;
    }
    return pixels.subarray(0, columns * channels);
  };
}

/**
 * Returns the pixel that each value of a sample of up to 8 bits stands for. A palette may be shorter than its indices:
 * the colours that it lacks are black, and those without alpha opaque.
 */
function meanings({ depth, colour }: PngHeader, { palette, transparency }: PngColours): readonly (readonly number[])[] {
  const largest = 2 ** depth - 1;
  return Array.from({ length: largest + 1 }, (_, value) => {
    if (colour === 3) {
      const shade = [0, 1, 2].map((channel) => palette?.[value * 3 + channel] ?? 0);
      return transparency ? [...shade, transparency[value] ?? 255] : shade;
    }
    const grey = (value * 255) / largest;
    if (!transparency) return [grey];
    return [grey, value === ((((transparency[0] ?? 0) << 8) | (transparency[1] ?? 0)) & largest) ? 0 : 255];
  });
}

/** Converts packed samples of 1, 2 or 4 bits, the first in the highest bits, and samples of 8 bits. */
function indexConverter(
  depth: number,
  values: readonly (readonly number[])[],
  channels: number,
  pixels: Uint8Array,
): RowConverter {
  const table = Uint8Array.from(values.flat());
  const largest = 2 ** depth - 1;
  return (row, columns) => {
    for (let x = 0, bit = 0, to = 0; x < columns; x++, bit += depth, to += channels) {
      const value = ((row[bit >> 3] ?? 0) >> (8 - depth - (bit & 7))) & largest;
      for (let channel = 0; channel < channels; channel++)
        pixels[to + channel] = table[value * channels + channel] ?? 0;
    }
    return pixels.subarray(0, columns * channels);
  };
}

/**
 * Returns a test for the one transparent colour, given as two bytes for each sample. It takes the offset of a pixel's
 * first byte.
 */
function keyTest(
  { depth, colour }: PngHeader,
  transparency: Uint8Array | undefined,
): (row: Uint8Array, at: number) => boolean {
  if (!transparency) return () => false;
  const bytes = depth / 8;
  const key = Array.from({ length: elementAt(SAMPLES, colour) * bytes }, (_, i) => {
    return transparency[depth === 16 ? i : 2 * i + 1] ?? 0;
  });
  return (row, at) => key.every((byte, i) => row[at + i] === byte);
}
