/** Pictures in memory. The files of this folder are pure: they run in Node, in a Worker and in a browser, and give the same bits there. */

/** All pixels of a picture, upright. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** The bytes of a pixel: 1 grey, 2 grey and alpha, 3 red, green and blue, 4 those and alpha. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Row by row. */
  readonly data: Uint8Array;
}

/** The rows of a picture as a file stores them, from top to bottom: never all of them in memory. */
export interface PictureRows extends Omit<Picture, 'data'> {
  /** How the camera was held: the Exif tag, 1 where there is none. Width and height are as stored. */
  readonly orientation: number;
  /**
   * Calls with each row, whose bytes are another's after the call.
   * @throws PictureError where the file is damaged
   */
  readonly read: (take: (row: Uint8Array) => void) => void;
}

/** Those of a picture in memory. */
export function rowsOf({ width, height, channels, data }: Picture): PictureRows {
  const stride = width * channels;
  return {
    width,
    height,
    channels,
    orientation: 1,
    read: (take) => {
      for (let y = 0; y < height; y++) take(data.subarray(y * stride, (y + 1) * stride));
    },
  };
}

/** One channel, a byte for each pixel, row by row; 0 is black. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * The most that is decoded here, by what a file declares. What cameras, phones and browsers write stays below: a picture of 4096 × 3072
 * takes less than a second, and as much memory as a few of its rows.
 */
export const LIMITS = {
  /** 12 megapixels, which cameras round up. */
  pixels: 12 * 2 ** 20,
  /** Of a JPEG, which takes each of them once over all pixels. */
  scans: 16,
  /** Of a JPEG. */
  segments: 4096,
  /** Of an interlaced PNG: its rows are whole only at the end, so all of it is held in memory. */
  interlacedPixels: 2 ** 22,
  /** Of a PNG, inflated: 12 megapixels in colour with alpha, a byte each, or half as many of two bytes. */
  inflatedBytes: 12 * 2 ** 22 + 2 ** 16,
  /** Of a PNG on either side; no JPEG has more than twice as many. */
  pngSide: 2 ** 15 - 1,
  pngChunks: 2 ** 16,
  /** Of a PNG: so many blocks of deflate may have codes of their own, and one for each row, and one for each 4 KiB. */
  deflateCodes: 1024,
} as const;

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
  requireAtMost(format, 'pixels', LIMITS.pixels, width * height, `${width} × ${height}`);
}

/** @throws PictureError that names the limit, and what the file has in its place */
export function requireAtMost(format: string, what: string, limit: number, value: number, got = String(value)): void {
  if (value > limit) throw new PictureError('too large', `${format}: expected at most ${limit} ${what}, got ${got}`);
}

export function damaged(format: string): PictureError {
  return new PictureError('damaged', `${format}: expected a whole picture, got a damaged or truncated one`);
}

/**
 * Frees a large buffer that nobody will look at again: an isolate has 128 MB, and V8 may collect garbage only after several times as much.
 * Node 20 has no way to, and more memory.
 */
export function giveBack({ buffer }: Uint8Array): void {
  // Of one that was given back before nothing is left.
  if ('transfer' in buffer && buffer.byteLength > 0) (buffer as TransferableBuffer).transfer(0);
}

type TransferableBuffer = ArrayBuffer & { transfer(size: number): ArrayBuffer };
