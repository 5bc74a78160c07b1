/**
 * PNG to pixels, upright. Data are inflated once, into the room that the declared size needs, because a few kilobytes can inflate to
 * gigabytes.
 * https://www.w3.org/TR/png-3/
 */
import crc32 from 'crc-32';
import { Unzlib, unzlibSync } from 'fflate';
import { exifOrientation, upright } from './exif.ts';
import { PNG_SIGNATURE } from './format.ts';
import { damaged, type Picture, requireSize } from './picture.ts';
import { rgbaOf, rowsSize, type PngHeader } from './png-rows.ts';

const NEEDED = new Set(['IHDR', 'PLTE', 'tRNS', 'eXIf', 'IDAT', 'IEND']);

/** The depths that a colour type comes in. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/** Deflate writes at most 1,032 bytes for one, so this much inflates to 16 MB at worst, and in one piece. */
const HARMLESS = 16_256;
const PIECE = 16_384;

/** @throws PictureError where the file is damaged or too large */
export function decodePng(bytes: Uint8Array): Picture {
  const chunks = readChunks(bytes);
  const header = readHeader(chunks[0]);
  const { width, height } = header;
  requireSize('png', width, height);
  const dataOf = (type: string): Uint8Array[] => chunks.filter((chunk) => chunk.type === type).map(({ data }) => data);
  const [palette] = dataOf('PLTE');
  const [transparency] = dataOf('tRNS');
  const [exif] = dataOf('eXIf');
  if (header.colour === 3 && !palette) throw damaged('png');
  try {
    const rows = inflate(concatenate(dataOf('IDAT')), rowsSize(header));
    const picture: Picture = { width, height, channels: 4, data: rgbaOf(header, rows, { palette, transparency }) };
    return exif ? upright(picture, exifOrientation(exif)) : picture;
  } catch {
    throw damaged('png');
  }
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** Those that make up the picture, and say how it was held. */
function readChunks(file: Uint8Array): Chunk[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks: Chunk[] = [];
  for (let at: number = PNG_SIGNATURE.length; at + 12 <= file.byteLength;) {
    const end = at + 12 + view.getUint32(at);
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (end > file.byteLength) break;
    if (NEEDED.has(type)) {
      if (crc32.buf(file.subarray(at + 4, end - 4)) !== view.getInt32(end - 4)) break;
      chunks.push({ type, data: file.subarray(at + 8, end - 4) });
    }
    if (type === 'IEND') return chunks;
    at = end;
  }
  throw damaged('png');
}

function readHeader(chunk: Chunk | undefined): PngHeader {
  if (chunk?.type !== 'IHDR' || chunk.data.byteLength !== 13) throw damaged('png');
  const view = new DataView(chunk.data.buffer, chunk.data.byteOffset, 13);
  const [depth = 0, colour = 0, compression, filter, interlace = 0] = chunk.data.subarray(8);
  const isKnown = DEPTHS[colour]?.includes(depth) && compression === 0 && filter === 0 && interlace <= 1;
  if (!isKnown) throw damaged('png');
  return { width: view.getUint32(0), height: view.getUint32(4), depth, colour, isInterlaced: interlace === 1 };
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array(), ...others] = parts;
  if (others.length === 0) return first;
  const whole = new Uint8Array(parts.reduce((size, { byteLength }) => size + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** @throws where the data are damaged, or inflate to another size */
function inflate(data: Uint8Array, size: number): Uint8Array {
  const rows = new Uint8Array(size + 1);
  const inflated = data.byteLength <= HARMLESS ? unzlibSync(data, { out: rows }).byteLength : inflatePieces(data, rows);
  if (inflated !== size) throw new Error(`png: expected ${size} bytes, got ${inflated}`);
  return rows;
}

/** @throws where there is no more room */
function inflatePieces(data: Uint8Array, rows: Uint8Array): number {
  let size = 0;
  const inflator = new Unzlib((piece) => {
    rows.set(piece, size);
    size += piece.byteLength;
  });
  for (let at = 0; at < data.byteLength; at += PIECE) inflator.push(data.subarray(at, at + PIECE));
  return size;
}
