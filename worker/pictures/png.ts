/**
 * PNG to pixels and back. Only the chunks that make up the picture reach the decoder, and their data is first inflated
 * piece by piece with a limit, because a few kilobytes can inflate to gigabytes.
 * https://www.w3.org/TR/png-3/
 */
import { convertIndexedToRgb, decode, encode, type DecodedPng } from 'fast-png';
import { Unzlib } from 'fflate';
import { concatenate } from '../bytes.ts';
import { damaged, requireSize, type Picture } from './picture.ts';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;
const NEEDED = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
const PIECE = 16_384;

export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/** @throws RequestError where the file is damaged or too large */
export function decodePng(bytes: Uint8Array): Picture {
  const chunks = readChunks(bytes);
  const { width, height, rawBytes } = readHeader(chunks[0]);
  requireSize('png', width, height);
  try {
    checkInflation(chunks, rawBytes);
    const file = concatenate([Uint8Array.from(SIGNATURE), ...chunks.map(({ bytes }) => bytes)]);
    return { width, height, data: toRgba(decode(file, { checkCrc: true })) };
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
  /** Length, type, data and checksum. */
  readonly bytes: Uint8Array;
  readonly data: Uint8Array;
}

function readChunks(file: Uint8Array): Chunk[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks: Chunk[] = [];
  for (let at: number = SIGNATURE.length; at + 12 <= file.byteLength;) {
    const end = at + 12 + view.getUint32(at);
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (end > file.byteLength) break;
    if (NEEDED.has(type)) chunks.push({ type, bytes: file.subarray(at, end), data: file.subarray(at + 8, end - 4) });
    if (type === 'IEND') return chunks;
    at = end;
  }
  throw damaged('png');
}

/** Width and height, and at most how many bytes the inflated data takes: a filter byte per row, seven passes if interlaced. */
function readHeader(chunk: Chunk | undefined): { width: number; height: number; rawBytes: number } {
  if (chunk?.type !== 'IHDR' || chunk.data.byteLength !== 13) throw damaged('png');
  const view = new DataView(chunk.data.buffer, chunk.data.byteOffset, 13);
  const [width, height, depth, colour] = [view.getUint32(0), view.getUint32(4), view.getUint8(8), view.getUint8(9)];
  const samples = [1, 0, 3, 1, 2, 0, 4][colour] ?? 0;
  const rowBytes = Math.ceil((width * samples * depth) / 8) + 1;
  return { width, height, rawBytes: 2 * rowBytes * height + 16 };
}

/** @throws where the data is cut off, damaged, or more than the picture needs */
function checkInflation(chunks: readonly Chunk[], limit: number): void {
  let inflated = 0;
  const inflator = new Unzlib((piece) => {
    inflated += piece.byteLength;
    if (inflated > limit) throw damaged('png');
  });
  for (const { data } of chunks.filter(({ type }) => type === 'IDAT')) {
    for (let at = 0; at < data.byteLength; at += PIECE) inflator.push(data.subarray(at, at + PIECE));
  }
  if (inflated === 0) throw damaged('png');
}

/** Grey, palette or colour of 1 to 16 bits, with or without alpha, to four bytes a pixel. */
function toRgba(png: DecodedPng): Uint8Array {
  const { width, height } = png;
  const { data, channels, depth, key } = png.palette ? indexed(png) : unpacked(png);
  const shift = depth === 16 ? 8 : 0;
  const [green, blue, alpha] = channels < 3 ? [0, 0, 1] : [1, 2, 3];
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let to = 0, from = 0; to < rgba.length; to += 4, from += channels) {
    rgba[to] = (data[from] ?? 0) >> shift;
    rgba[to + 1] = (data[from + green] ?? 0) >> shift;
    rgba[to + 2] = (data[from + blue] ?? 0) >> shift;
    if (alpha < channels) rgba[to + 3] = (data[from + alpha] ?? 0) >> shift;
    else if (key && isKey(key, data, from)) rgba[to + 3] = 0;
  }
  return rgba;
}

interface Samples {
  readonly data: ArrayLike<number>;
  readonly channels: number;
  readonly depth: number;
  /** The samples of the one colour that is transparent (chunk tRNS of a picture without palette). */
  readonly key?: ArrayLike<number> | undefined;
}

function isKey(key: ArrayLike<number>, data: ArrayLike<number>, from: number): boolean {
  for (let channel = 0; channel < key.length; channel++) if (data[from + channel] !== key[channel]) return false;
  return true;
}

function indexed(png: DecodedPng): Samples {
  const data = convertIndexedToRgb(png);
  return { data, channels: data.length / (png.width * png.height), depth: 8 };
}

/** Grey of 1, 2 or 4 bits lies packed, each row starting at a whole byte; black is 0 and white becomes 255. */
function unpacked({ width, height, data, channels, depth, transparency }: DecodedPng): Samples {
  if (depth >= 8) return { data, channels, depth, key: transparency };
  const rowBytes = Math.ceil((width * depth) / 8);
  const largest = 2 ** depth - 1;
  const bytes = new Uint8Array(width * height);
  for (let i = 0; i < bytes.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const byte = data[y * rowBytes + Math.floor((x * depth) / 8)] ?? 0;
    bytes[i] = (((byte >> (8 - depth - ((x * depth) % 8))) & largest) * 255) / largest;
  }
  const key = transparency && Array.from(transparency, (sample) => ((sample & largest) * 255) / largest);
  return { data: bytes, channels: 1, depth: 8, key };
}
