/**
 * Reads the PNG in which the Worker shows what a model saw: 8 bits, grey or colour, no filters. It does not use a
 * canvas: browsers that guard against fingerprinting scramble what a page reads from one. https://www.w3.org/TR/png-3/
 */
import { present } from '../../../../training/arrays/index.ts';
import type { PictureInfo } from '../../api/model.ts';
import type { Pixels } from './pixels.ts';

/** @param url a data URL */
export async function pixelsOfPng(url: string, { rows, columns, channels }: PictureInfo): Promise<Pixels> {
  const text = atob(url.slice(url.indexOf(',') + 1));
  const file = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const lines = await inflate(dataOf(file));
  const width = 1 + columns * channels;
  if (lines.length !== rows * width) throw new Error(`internal: expected ${rows * width} bytes, got ${lines.length}`);
  const pixels = new Uint8Array(rows * columns * channels);
  for (let i = 0; i < rows * columns; i++) {
    const start = Math.floor(i / columns) * width + 1 + (i % columns) * channels;
    for (let c = 0; c < channels; c++) pixels[c * rows * columns + i] = present(lines[start + c]);
  }
  return pixels;
}

const SIGNATURE = 8;
const IDAT = 0x49444154;

/** Returns the chunks of data, joined. */
function dataOf(file: Uint8Array<ArrayBuffer>): Blob {
  const view = new DataView(file.buffer);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = SIGNATURE; at < file.length;) {
    const length = view.getUint32(at);
    if (view.getUint32(at + 4) === IDAT) parts.push(file.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return new Blob(parts);
}

async function inflate(data: Blob): Promise<Uint8Array> {
  return new Uint8Array(
    await new Response(data.stream().pipeThrough(new DecompressionStream('deflate'))).arrayBuffer(),
  );
}
