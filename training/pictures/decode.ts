/** Decodes PNG and JPEG bytes to pixels. */
import { uprightPicture } from './exif.ts';
import { isJpeg, isPng } from './format.ts';
import { jpegRows } from './jpeg.ts';
import { type Picture, PictureError, type PictureRows } from './picture.ts';
import { pngRows } from './png.ts';

/**
 * Reads the header of a picture. Its pixels are decoded only when they are read.
 *
 * @throws PictureError where the bytes are of another format, damaged, or too large to be decoded in a Worker
 */
export function decodeRows(bytes: Uint8Array): PictureRows {
  if (isPng(bytes)) return pngRows(bytes);
  if (isJpeg(bytes)) return jpegRows(bytes);
  throw new PictureError('another format', 'picture: expected a PNG or JPEG file, got another format');
}

/**
 * Decodes a whole picture, upright.
 *
 * @throws PictureError as `decodeRows`
 */
export const decodePicture = (bytes: Uint8Array): Picture => uprightPicture(decodeRows(bytes));
