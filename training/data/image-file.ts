/** Reads a picture file: its header, and its pixels, upright, with a byte for each channel. */
import { readBytes, requireStored, unexpected, UserError } from '../files/index.ts';
import { decodePicture, isJpeg, type Picture, PictureError } from '../pictures/index.ts';
import { decodeBmp, isBmp } from './bmp.ts';
import type { ImageSize } from './options.ts';

export interface ImageHeader extends ImageSize {
  readonly grey: boolean;
}

/** Loads the image library with the first image: it is native code, which training on other data need not wait for. */
const imageLibrary = () => import('sharp');

const formats = new Set(['png', 'jpeg', 'webp', 'tiff', 'gif']);

/** Colour profiles are ignored, since the Worker ignores them too. */
const options = { ignoreIcc: true };

/**
 * Reads the size of a picture, and whether it is grey.
 *
 * @throws UserError naming the file where it is not a picture or is damaged
 */
export async function readHeader(file: string): Promise<ImageHeader> {
  requireStored(file);
  const input = /\.bmp$/i.test(file) ? await readBytes(file) : file;
  if (typeof input !== 'string' && isBmp(input)) {
    const { width, height } = await decoding(file, () => decodeBmp(input));
    return { rows: height, columns: width, grey: false };
  }
  const { default: sharp } = await imageLibrary();
  const { format, autoOrient, space } = await decoding(file, () => sharp(input, options).metadata());
  if (!formats.has(format)) throw unexpected(file, 'a PNG, JPEG, WebP, TIFF, GIF or BMP image', format);
  return { rows: autoOrient.height, columns: autoOrient.width, grey: space === 'b-w' || space === 'grey16' };
}

/**
 * Reads the pixels of a picture. JPEG files that the Worker's decoder supports are decoded with it; the image library
 * decodes all others, and gives the same pixels for PNG as the Worker. Of an animation, only the first frame is read.
 *
 * @throws UserError as `readHeader`
 */
export async function readPicture(file: string): Promise<Picture> {
  const bytes = await readBytes(file);
  if (isBmp(bytes)) return decoding(file, () => decodeBmp(bytes));
  return (isJpeg(bytes) ? asInWorker(bytes) : undefined) ?? decoding(file, () => decodeByLibrary(bytes));
}

function asInWorker(bytes: Uint8Array): Picture | undefined {
  try {
    return decodePicture(bytes);
  } catch (error) {
    if (error instanceof PictureError) return undefined;
    throw error;
  }
}

async function decodeByLibrary(bytes: Uint8Array): Promise<Picture> {
  const { default: sharp } = await imageLibrary();
  const image = sharp(bytes, options).autoOrient().toColourspace('srgb').raw({ depth: 'uchar' });
  const { data, info } = await image.toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (data.length !== width * height * channels) throw new Error(`internal: ${data.length} bytes of pixels`);
  return { width, height, channels, data };
}

async function decoding<T>(file: string, decode: () => T | Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    throw new UserError(`${file}: cannot decode: ${reason ?? ''}`, { cause: error });
  }
}
