/**
 * Encodes what a model sees of a picture, for people: as a PNG of 8 bits, without filters. https://www.w3.org/TR/png-3/
 */
import { crc32 } from '../../training/pictures/crc32.ts';
import { concatenate } from '../http/bytes.ts';

/** The number of arguments that a call takes on any stack. */
const MAX_ARGUMENTS = 2 ** 13;

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Maps the number of channels to PNG's colour type: grey, colours, colours and alpha. */
const COLOUR_TYPES = { 1: 0, 3: 2, 4: 6 } as const;

/**
 * @param data one byte per pixel and channel, row by row
 * @returns a data URL
 */
export async function toPngUrl(width: number, height: number, channels: 1 | 3 | 4, data: Uint8Array): Promise<string> {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8);
  header.setUint8(9, COLOUR_TYPES[channels]);
  const png = concatenate([
    SIGNATURE,
    chunk('IHDR', new Uint8Array(header.buffer)),
    chunk('IDAT', await deflate(lines(height, width * channels, data))),
    chunk('IEND', new Uint8Array()),
  ]);
  const parts: string[] = [];
  for (let at = 0; at < png.length; at += MAX_ARGUMENTS) {
    parts.push(String.fromCharCode(...png.subarray(at, at + MAX_ARGUMENTS)));
  }
  return `data:image/png;base64,${btoa(parts.join(''))}`;
}

/** Puts before each line the number of its filter: 0, none. */
function lines(height: number, width: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) all.set(data.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return all;
}

async function deflate(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const packed = new Blob([data]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** Encodes a chunk: length, type, data, and the checksum of type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(
    Array.from(type, (letter) => letter.charCodeAt(0)),
    4,
  );
  bytes.set(data, 8);
  view.setInt32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)));
  return bytes;
}
