/**
 * Decodes PNG to rows of pixels. The header determines how much a file inflates to, so that too large a file is refused
 * before it is inflated.
 *
 * Source: https://www.w3.org/TR/png-3/
 */
import { crc32 } from './crc32.ts';
import { exifOrientation } from './exif.ts';
import { PNG_SIGNATURE } from './format.ts';
import type { Compressed } from './inflate.ts';
import { damaged, LIMITS, type PictureRows, requireAtMost, requireSize } from './picture.ts';
import { pngChannels, type PngHeader, readPngRows, rowsSize } from './png-rows.ts';

/** The depths that each colour type may have. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/**
 * Reads the chunks of a PNG file.
 *
 * @throws PictureError where they show that the file is damaged or too large
 */
export function pngRows(bytes: Uint8Array): PictureRows {
  const { header, colours, exif, compressed } = readChunks(bytes);
  const { width, height } = header;
  if (header.colour === 3 && !colours.palette) throw damaged('png');
  return {
    width,
    height,
    channels: pngChannels(header, colours),
    orientation: exif ? exifOrientation(exif) : 1,
    read: (take) => {
      readPngRows(header, colours, compressed, take);
    },
  };
}

const HEADER = 'IHDR';
/** Chunks whose checksum must be right, and of which the first counts. */
const SINGLE = new Set(['PLTE', 'tRNS', 'eXIf']);

function readChunks(file: Uint8Array) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const single = new Map<string, Uint8Array>();
  const parts: Compressed['parts'][number][] = [];
  let header: PngHeader | undefined;
  for (let at: number = PNG_SIGNATURE.length, count = 1; at + 12 <= file.byteLength; count++) {
    const end = at + 12 + view.getUint32(at);
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (end > file.byteLength) break;
    requireAtMost('png', 'chunks', LIMITS.pngChunks, count);
    const isNeeded = type === HEADER || type === 'IDAT' || type === 'IEND' || SINGLE.has(type);
    if (isNeeded && crc32(file.subarray(at + 4, end - 4)) !== view.getInt32(end - 4)) break;
    // The header comes first, and is checked before more is read.
    header ??= readHeader(type, file.subarray(at + 8, end - 4));
    if (type === 'IDAT') parts.push([at + 8, end - 4]);
    else if (SINGLE.has(type) && !single.has(type)) single.set(type, file.subarray(at + 8, end - 4));
    else if (type === 'IEND') {
      const colours = { palette: single.get('PLTE'), transparency: single.get('tRNS') };
      return { header, colours, exif: single.get('eXIf'), compressed: { file, parts } };
    }
    at = end;
  }
  throw damaged('png');
}

function readHeader(type: string, data: Uint8Array): PngHeader {
  if (type !== HEADER || data.byteLength !== 13) throw damaged('png');
  const view = new DataView(data.buffer, data.byteOffset, 13);
  const [depth = 0, colour = 0, compression, filter, interlace = 0] = data.subarray(8);
  const isKnown = DEPTHS[colour]?.includes(depth) && compression === 0 && filter === 0 && interlace <= 1;
  if (!isKnown) throw damaged('png');
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const header = { width, height, depth, colour, isInterlaced: interlace === 1 };
  requireSize('png', width, height);
  const size = `${width} × ${height}`;
  requireAtMost('png', 'pixels on a side', LIMITS.pngSide, Math.max(width, height), size);
  if (header.isInterlaced) requireAtMost('png', 'interlaced pixels', LIMITS.interlacedPixels, width * height, size);
  requireAtMost('png', 'bytes inflated', LIMITS.inflatedBytes, rowsSize(header), `${rowsSize(header)}: ${size}`);
  return header;
}
