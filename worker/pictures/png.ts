/**
 * PNG to pixels and back. Data are inflated once, into the room that the declared size needs, because a few kilobytes can inflate to
 * gigabytes.
 * https://www.w3.org/TR/png-3/
 */
import crc32 from 'crc-32';
import { encode } from 'fast-png';
import { Unzlib, unzlibSync } from 'fflate';
import { concatenate } from '../http/bytes.ts';
import { PNG_SIGNATURE } from './format.ts';
import { damaged, requireSize, type Picture } from './picture.ts';
import { rgbaOf, rowsSize, type PngHeader } from './png-rows.ts';

const NEEDED = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);

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

/** @throws RequestError where the file is damaged or too large */
export function decodePng(bytes: Uint8Array): Picture {
  const chunks = readChunks(bytes);
  const header = readHeader(chunks[0]);
  const { width, height } = header;
  requireSize('png', width, height);
  const dataOf = (type: string): Uint8Array[] => chunks.filter((chunk) => chunk.type === type).map(({ data }) => data);
  const [palette] = dataOf('PLTE');
  const [transparency] = dataOf('tRNS');
  if (header.colour === 3 && !palette) throw damaged('png');
  try {
    const rows = inflate(concatenate(dataOf('IDAT')), rowsSize(header));
    return { width, height, data: rgbaOf(header, rows, { palette, transparency }) };
  } catch {
    throw damaged('png');
  }
}

/**
 * @param data one byte per pixel and channel, row by row
 * @returns a data URL
 */
export function toPngUrl(width: number, height: number, channels: 1 | 3, data: Uint8Array): string {
  const png = encode({ width, height, channels, depth: 8, data });
  return `data:image/png;base64,${btoa(String.fromCharCode(...png))}`;
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** Those that make up the picture. */
function readChunks(file: Uint8Array): Chunk[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks: Chunk[] = [];
  for (let at = PNG_SIGNATURE.length; at + 12 <= file.byteLength;) {
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
