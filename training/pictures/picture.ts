/** Pictures in memory. The files of this folder are pure: they run in Node, in a Worker and in a browser, and give the same bits there. */

/** Pixels as they come from a decoder, upright. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** The bytes of a pixel: 1 grey, 2 grey and alpha, 3 red, green and blue, 4 those and alpha. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Row by row. */
  readonly data: Uint8Array;
}

/** One channel, a byte for each pixel, row by row; 0 is black. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** The most that is decoded here: it takes some 20 bytes a pixel, and a Worker has 128 MB. */
const MAX_PIXELS = 2 ** 22;

/** A file that is not decoded here, and why. */
export class PictureError extends Error {
  override readonly name = 'PictureError';
  readonly reason: 'damaged' | 'too large' | 'another format';

  constructor(reason: PictureError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Called with what the file declares, before memory is spent. @throws PictureError where that is none, or too large */
export function requireSize(format: string, width: number, height: number): void {
  if (width === 0 || height === 0) throw damaged(format);
  if (width * height <= MAX_PIXELS) return;
  const message = `${format}: expected at most ${MAX_PIXELS} pixels, got ${width} × ${height}`;
  throw new PictureError('too large', message);
}

export function damaged(format: string): PictureError {
  return new PictureError('damaged', `${format}: expected a whole picture, got a damaged or truncated one`);
}
