/** PNG or JPEG bytes to pixels. */
import { isJpeg, isPng } from './format.ts';
import { decodeJpeg } from './jpeg.ts';
import { type Picture, PictureError } from './picture.ts';
import { decodePng } from './png.ts';

/** @throws PictureError where the bytes are neither, damaged, or a picture too large to decode in a Worker */
export function decodePicture(bytes: Uint8Array): Picture {
  if (isPng(bytes)) return decodePng(bytes);
  if (isJpeg(bytes)) return decodeJpeg(bytes);
  throw new PictureError('another format', 'picture: expected a PNG or JPEG file, got another format');
}
