/**
 * Pictures in memory. The files of this folder are pure: they run in Node, in a Worker and in a browser, and give the
 * same bits there.
 */

/** All pixels of a picture, upright. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** The bytes of a pixel: 1 grey, 2 grey and alpha, 3 red, green and blue, 4 those and alpha. */
  readonly channels: 1 | 2 | 3 | 4;
  /** The pixels, row by row. */
  readonly data: Uint8Array;
}

/** The rows of a picture as a file stores them, from top to bottom. They are never in memory all at once. */
export interface PictureRows extends Omit<Picture, 'data'> {
  /** The Exif tag Orientation, 1 where there is none. Width and height are as stored. */
  readonly orientation: number;
  /**
   * Calls `take` with each row, whose bytes are overwritten after the call.
   *
   * @throws PictureError where the file is damaged
   */
  readonly read: (take: (row: Uint8Array) => void) => void;
}

/** Returns the rows of a picture that is in memory. */
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
 * The limits of what is decoded, by what a file declares. Files from cameras, phones and browsers stay below: a picture
 * of 4096 × 3072 takes less than a second, and as much memory as a few of its rows.
 */
export const LIMITS = {
  /** 12 megapixels, rounded up as cameras do. */
  pixels: 12 * 2 ** 20,
  /** The scans of a JPEG, each of which takes a pass over all pixels. */
  scans: 16,
  /** The segments of a JPEG. */
  segments: 4096,
  /** The pixels of an interlaced PNG. Its rows are complete only at the end, so all of it is held in memory. */
  interlacedPixels: 2 ** 22,
  /**
   * The inflated bytes of a PNG: 12 megapixels in colour with alpha, a byte for each sample, or half as many with two
   * bytes.
   */
  inflatedBytes: 12 * 2 ** 22 + 2 ** 16,
  /** The longer side of a PNG; no JPEG has more than twice as many pixels on a side. */
  pngSide: 2 ** 15 - 1,
  pngChunks: 2 ** 16,
  /**
   * The blocks of deflate in a PNG that may have codes of their own, in addition to one for each row and one for each 4
   * KiB.
   */
  deflateCodes: 1024,
} as const;

/** The file is not decoded, for a reason. */
export class PictureError extends Error {
  override readonly name = 'PictureError';
  readonly reason: 'damaged' | 'too large' | 'another format';

  constructor(reason: PictureError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Checks the size that a file declares, before memory is spent.
 *
 * @throws PictureError where the size is zero or too large
 */
export function requireSize(format: string, width: number, height: number): void {
  if (width === 0 || height === 0) throw damaged(format);
  requireAtMost(format, 'pixels', LIMITS.pixels, width * height, `${width} × ${height}`);
}

/**
 * Checks a limit.
 *
 * @throws PictureError that names the limit, and the file's value
 */
export function requireAtMost(format: string, what: string, limit: number, value: number, got = String(value)): void {
  if (value > limit) throw new PictureError('too large', `${format}: expected at most ${limit} ${what}, got ${got}`);
}

export function damaged(format: string): PictureError {
  return new PictureError('damaged', `${format}: expected a whole picture, got a damaged or truncated one`);
}

/**
 * Frees a large buffer that is no longer used: an isolate has 128 MB, and V8 may collect garbage only after several
 * times as much. Node 20 lacks `transfer`, but has more memory.
 */
export function giveBack({ buffer }: Uint8Array): void {
  // A buffer that was freed before has no bytes left.
  if ('transfer' in buffer && buffer.byteLength > 0) (buffer as TransferableBuffer).transfer(0);
}

type TransferableBuffer = ArrayBuffer & { transfer(size: number): ArrayBuffer };
