/** What a model sees of a picture, for people. */
import { encode } from 'fast-png';

/**
 * @param data one byte per pixel and channel, row by row
 * @returns a data URL
 */
export function toPngUrl(width: number, height: number, channels: 1 | 3, data: Uint8Array): string {
  const png = encode({ width, height, channels, depth: 8, data });
  return `data:image/png;base64,${btoa(String.fromCharCode(...png))}`;
}
