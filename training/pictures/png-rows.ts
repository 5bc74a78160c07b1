/**
 * From a PNG's inflated rows to pixels: each row undoes its filter, and every sample becomes a byte.
 * https://www.w3.org/TR/png-3/#7Scanline and #9Filters
 *
 * Done here, since fast-png's decoder (8.0.0) would inflate a second time and does not read interlaced pictures of fewer than 8 bits.
 */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  /** 0 grey, 2 colour, 3 palette, 4 grey and alpha, 6 colour and alpha. */
  readonly colour: number;
  readonly isInterlaced: boolean;
}

/** The chunks beside the rows that say what a sample means. */
export interface PngColours {
  readonly palette: Uint8Array | undefined;
  /** The alpha of each colour of the palette, or the one grey or colour that is transparent, two bytes a sample. */
  readonly transparency: Uint8Array | undefined;
}

/** Every `across`-th pixel of every `down`-th row, from (left, top) on. */
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

const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** What a filter expects of a byte, from the same byte of the pixels to the left, above, and to the left of that. */
const predictors: readonly ((left: number, above: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, above) => above,
  (left, above) => (left + above) >> 1,
  paeth,
];

/** The one of the three that is nearest to left + above − corner. */
function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** How many bytes the rows of a picture take: each one byte more for its filter. */
export function rowsSize(header: PngHeader): number {
  return passesOf(header).reduce((size, { rowBytes, rows }) => size + rows * (rowBytes + 1), 0);
}

/**
 * Red, green, blue and alpha of each pixel.
 * @param rows inflated, `rowsSize` bytes; their filters are undone in place
 * @throws where a row has a filter that is none of the standard's
 */
export function rgbaOf(header: PngHeader, rows: Uint8Array, colours: PngColours): Uint8Array {
  const { width, height, depth, colour } = header;
  const rgba = new Uint8Array(width * height * 4);
  const write = pixelWriter(header, colours);
  const pixelBytes = Math.ceil(((SAMPLES[colour] ?? 0) * depth) / 8);
  let at = 0;
  for (const { left, top, across, down, columns, rows: count, rowBytes } of passesOf(header)) {
    let above: Uint8Array = new Uint8Array(rowBytes);
    for (let y = 0; y < count; y++, at += rowBytes + 1) {
      const row = rows.subarray(at + 1, at + 1 + rowBytes);
      undoFilter(rows[at] ?? 0, row, above, pixelBytes);
      const start = (top + y * down) * width + left;
      for (let x = 0; x < columns; x++) write(row, x, rgba, (start + x * across) * 4);
      above = row;
    }
  }
  return rgba;
}

function passesOf({ width, height, depth, colour, isInterlaced }: PngHeader) {
  const passes = (isInterlaced ? adam7 : whole).map((pass) => {
    const columns = Math.ceil((width - pass.left) / pass.across);
    const rows = Math.ceil((height - pass.top) / pass.down);
    return { ...pass, columns, rows, rowBytes: Math.ceil((columns * (SAMPLES[colour] ?? 0) * depth) / 8) };
  });
  return passes.filter(({ columns, rows }) => columns > 0 && rows > 0);
}

function undoFilter(filter: number, row: Uint8Array, above: Uint8Array, pixelBytes: number): void {
  const predict = predictors[filter];
  if (!predict) throw new Error(`png: expected filter 0 to 4, got ${filter}`);
  if (filter === 0) return;
  for (let i = 0; i < row.length; i++) {
    const [left, corner] = i < pixelBytes ? [0, 0] : [row[i - pixelBytes] ?? 0, above[i - pixelBytes] ?? 0];
    row[i] = (row[i] ?? 0) + predict(left, above[i] ?? 0, corner);
  }
}

/** Writes the x-th pixel of a row at an index. */
type PixelWriter = (row: Uint8Array, x: number, rgba: Uint8Array, to: number) => void;

function pixelWriter({ depth, colour }: PngHeader, { palette, transparency }: PngColours): PixelWriter {
  const sample = sampleReader(depth);
  if (palette && colour === 3) {
    return (row, x, rgba, to) => {
      const index = sample(row, x);
      for (let channel = 0; channel < 3; channel++) rgba[to + channel] = palette[index * 3 + channel] ?? 0;
      rgba[to + 3] = transparency?.[index] ?? 255;
    };
  }
  const samples = SAMPLES[colour] ?? 0;
  const [green, blue, alpha] = samples < 3 ? [0, 0, 1] : [1, 2, 3];
  // Of two bytes the higher; of a few bits so much that the largest becomes 255.
  const gain = 255 / (2 ** depth - 1);
  const byteOf = depth === 16 ? (value: number) => value >> 8 : (value: number) => value * gain;
  const isKey = keyTest(depth, transparency);
  return (row, x, rgba, to) => {
    const first = x * samples;
    rgba[to] = byteOf(sample(row, first));
    rgba[to + 1] = byteOf(sample(row, first + green));
    rgba[to + 2] = byteOf(sample(row, first + blue));
    if (alpha < samples) rgba[to + 3] = byteOf(sample(row, first + alpha));
    else rgba[to + 3] = isKey(sample(row, first), sample(row, first + green), sample(row, first + blue)) ? 0 : 255;
  };
}

/** The i-th sample of a row. Those of 1, 2 or 4 bits lie packed, the first in the highest bits. */
function sampleReader(depth: number): (row: Uint8Array, i: number) => number {
  if (depth === 8) return (row, i) => row[i] ?? 0;
  if (depth === 16) return (row, i) => ((row[2 * i] ?? 0) << 8) | (row[2 * i + 1] ?? 0);
  const [each, largest] = [8 / depth, 2 ** depth - 1];
  return (row, i) => ((row[Math.floor(i / each)] ?? 0) >> (8 - depth * ((i % each) + 1))) & largest;
}

function keyTest(
  depth: number,
  transparency: Uint8Array | undefined,
): (red: number, green: number, blue: number) => boolean {
  if (!transparency) return () => false;
  const sample = sampleReader(16);
  const last = transparency.byteLength < 6 ? 0 : 2;
  const [red, green, blue] = [0, last && 1, last].map((i) => sample(transparency, i) & (2 ** depth - 1));
  return (r, g, b) => r === red && g === green && b === blue;
}
