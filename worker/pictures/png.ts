/** What a model sees of a picture, for people. */
import { encode } from 'fast-png';

/** As many as a call takes on any stack. */
const MOST_ARGUMENTS = 2 ** 13;

/**
 * @param data one byte per pixel and channel, row by row
 * @returns a data URL
 */
export function toPngUrl(width: number, height: number, channels: 1 | 3 | 4, data: Uint8Array): string {
  const png = encode({ width, height, channels, depth: 8, data });
  const parts: string[] = [];
  for (let at = 0; at < png.length; at += MOST_ARGUMENTS) {
    parts.push(String.fromCharCode(...png.subarray(at, at + MOST_ARGUMENTS)));
  }
  return `data:image/png;base64,${btoa(parts.join(''))}`;
}
