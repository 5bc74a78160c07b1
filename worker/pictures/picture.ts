/** A picture as it comes in: PNG or JPEG bytes to pixels, refused before memory is spent where it is too large. */
import { RequestError } from '../http/errors.ts';
import { isJpeg, isPng } from './format.ts';
import { decodeJpeg } from './jpeg.ts';
import { decodePng } from './png.ts';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha of each pixel, one byte each, row by row. */
  readonly data: Uint8Array;
}

/** Decoding takes some 20 bytes a pixel, and a Worker has 128 MB. */
const MAX_PIXELS = 2 ** 22;

/** @throws RequestError where the bytes are no picture, a damaged one, or one of more than `MAX_PIXELS` */
export function decodePicture(bytes: Uint8Array): Picture {
  if (isPng(bytes)) return decodePng(bytes);
  if (isJpeg(bytes)) return decodeJpeg(bytes);
  throw new RequestError('unsupported media type', 'picture: expected a PNG or JPEG file, got another format');
}

export function requireSize(format: string, width: number, height: number): void {
  if (width === 0 || height === 0) throw damaged(format);
  if (width * height <= MAX_PIXELS) return;
  throw new RequestError('too large', `${format}: expected at most ${MAX_PIXELS} pixels, got ${width} × ${height}`);
}

export function damaged(format: string): RequestError {
  return new RequestError('malformed', `${format}: expected a whole picture, got a damaged or truncated one`);
}
