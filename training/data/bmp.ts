/**
 * Decodes Windows bitmaps, which the image library does not read: uncompressed, with a palette of up to 8 bits or with
 * 24 or 32 bits a pixel. Source: https://learn.microsoft.com/windows/win32/gdi/bitmap-storage
 */
import { present } from '../arrays/index.ts';
import type { Picture } from '../pictures/index.ts';

export const isBmp = (bytes: Uint8Array): boolean => bytes[0] === 0x42 && bytes[1] === 0x4d;

const HEADER = { file: 14, info: 40 } as const;
const [UNCOMPRESSED, WITH_MASKS] = [0, 3];
/** The masks of red, green and blue that stand for the order of bytes in other bitmaps. Other masks are refused. */
const MASKS = [0xff0000, 0xff00, 0xff];

interface Header {
  readonly width: number;
  readonly height: number;
  /** Is true where rows are stored from the bottom up, as is usual. */
  readonly isUpsideDown: boolean;
  readonly bits: number;
  readonly palette: Uint8Array;
  readonly rows: Uint8Array;
  readonly rowBytes: number;
}

/**
 * Decodes a bitmap.
 *
 * @throws Error with the reason where it is damaged or of an unsupported kind
 */
export function decodeBmp(bytes: Uint8Array): Picture {
  const header = readHeader(bytes);
  const { width, height, isUpsideDown, rows, rowBytes } = header;
  const data = new Uint8Array(width * height * 3);
  const write = header.bits <= 8 ? paletteWriter(header) : colourWriter(header.bits / 8);
  for (let y = 0; y < height; y++) {
    const row = rows.subarray((isUpsideDown ? height - 1 - y : y) * rowBytes);
    for (let x = 0; x < width; x++) write(row, x, data, (y * width + x) * 3);
  }
  return { width, height, channels: 3, data };
}

function readHeader(bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < HEADER.file + HEADER.info) throw new Error('BMP: the header is cut short');
  const [start, infoSize] = [view.getUint32(10, true), view.getUint32(14, true)];
  const [width, signedHeight] = [view.getInt32(18, true), view.getInt32(22, true)];
  const [bits, compression, colours] = [view.getUint16(28, true), view.getUint32(30, true), view.getUint32(46, true)];
  const isKnown =
    infoSize >= HEADER.info &&
    [1, 4, 8, 24, 32].includes(bits) &&
    (compression === UNCOMPRESSED || (compression === WITH_MASKS && bits === 32));
  if (!isKnown) throw new Error(`BMP: ${bits} bits a pixel, compression ${compression}: this kind is not read`);
  if (compression === WITH_MASKS && !hasUsualMasks(bytes)) {
    throw new Error('BMP: colours in an order other than blue, green, red: this kind is not read');
  }
  const at = HEADER.file + infoSize;
  if (start < at) throw new Error('BMP: the pixels begin within the header');
  const [height, rowBytes] = [Math.abs(signedHeight), Math.ceil((width * bits) / 32) * 4];
  const rows = bytes.subarray(start, start + rowBytes * height);
  if (width <= 0 || height === 0 || rows.length < rowBytes * height) throw new Error('BMP: the pixels are cut short');
  const palette = bytes.subarray(at, at + 4 * (colours === 0 ? 2 ** bits : colours));
  return {
    width,
    height,
    isUpsideDown: signedHeight > 0,
    bits,
    palette: bits <= 8 ? palette : new Uint8Array(),
    rows,
    rowBytes,
  };
}

/** Is true where the masks behind the first 40 bytes of information are the usual ones. */
function hasUsualMasks(bytes: Uint8Array): boolean {
  const start = HEADER.file + HEADER.info;
  const masks = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.byteLength - start);
  return masks.byteLength >= 4 * MASKS.length && MASKS.every((mask, i) => masks.getUint32(4 * i, true) === mask);
}

type Writer = (row: Uint8Array, x: number, rgb: Uint8Array, to: number) => void;

/** Writes a pixel that is stored as blue, green and red, with a fourth byte in 32 bits. */
const colourWriter =
  (pixelBytes: number): Writer =>
  (row, x, rgb, to) => {
    for (let channel = 0; channel < 3; channel++) rgb[to + channel] = present(row[x * pixelBytes + 2 - channel]);
  };

/**
 * Writes a pixel that is stored as an index into the palette. Indices are packed, the first in the highest bits.
 * Colours that the palette lacks are black.
 */
function paletteWriter({ bits, palette }: Header): Writer {
  const [each, largest] = [8 / bits, 2 ** bits - 1];
  return (row, x, rgb, to) => {
    const index = (present(row[Math.floor(x / each)]) >> (8 - bits * ((x % each) + 1))) & largest;
    for (let channel = 0; channel < 3; channel++) rgb[to + channel] = palette[index * 4 + 2 - channel] ?? 0;
  };
}
