/** PNG or JPEG bytes to pixels. */
import { uprightPicture } from './exif.ts';
import { isJpeg, isPng } from './format.ts';
import { jpegRows } from './jpeg.ts';
import { type Picture, PictureError, type PictureRows } from './picture.ts';
import { pngRows } from './png.ts';

/**
 * Reads what the file declares; its pixels are decoded as they are taken.
 * @throws PictureError where the bytes are neither, damaged, or more than is decoded in a Worker
 */
export function decodeRows(bytes: Uint8Array): PictureRows {
  if (isPng(bytes)) return pngRows(bytes);
  if (isJpeg(bytes)) return jpegRows(bytes);
  throw new PictureError('another format', 'picture: expected a PNG or JPEG file, got another format');
}

/** The whole picture, upright. @throws PictureError as `decodeRows` */
export const decodePicture = (bytes: Uint8Array): Picture => uprightPicture(decodeRows(bytes));
