/**
 * How a camera was held: the Exif tag Orientation of a JPEG or PNG, and the picture turned upright. Broken Exif data are no reason to
 * refuse a picture: they count as none.
 * https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E (4.6.2, 4.6.5.1)
 */
import type { Picture } from './picture.ts';

const ORIENTATION = 0x0112;
const APP1 = 0xe1;
const START_OF_SCAN = 0xda;

/** From a column and a row of the upright picture to those of the stored one, which is `width` × `height`. */
type Source = (column: number, row: number, width: number, height: number) => readonly [column: number, row: number];

/** By the value of the tag. From 5 on rows and columns change places. */
const sources: Readonly<Record<number, Source>> = {
  2: (x, y, width) => [width - 1 - x, y],
  3: (x, y, width, height) => [width - 1 - x, height - 1 - y],
  4: (x, y, _, height) => [x, height - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y, _, height) => [y, height - 1 - x],
  7: (x, y, width, height) => [width - 1 - y, height - 1 - x],
  8: (x, y, width) => [width - 1 - y, x],
};

/** @param orientation the tag's value; 1, and what the standard does not know, leave the picture as it is */
export function upright(picture: Picture, orientation: number): Picture {
  const source = sources[orientation];
  if (!source) return picture;
  const { width, height, channels } = picture;
  const turned = orientation >= 5 ? { width: height, height: width } : { width, height };
  const data = new Uint8Array(picture.data.length);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = source(i % turned.width, Math.floor(i / turned.width), width, height);
    const from = (y * width + x) * channels;
    for (let channel = 0; channel < channels; channel++) {
      data[i * channels + channel] = picture.data[from + channel] ?? 0;
    }
  }
  return { ...turned, channels, data };
}

/** The value of the tag in a JPEG file, 1 where there is none. */
export function orientationOf(jpeg: Uint8Array): number {
  const exif = exifOf(jpeg);
  return exif ? exifOrientation(exif) : 1;
}

/**
 * The value of the tag, 1 where there is none.
 * @param exif a TIFF file: the data of a PNG's eXIf chunk, or of a JPEG's APP1 segment behind its name
 */
export function exifOrientation(exif: Uint8Array): number {
  try {
    return readOrientation(new DataView(exif.buffer, exif.byteOffset, exif.byteLength));
  } catch {
    return 1;
  }
}

/** What follows the segment's `Exif\0\0`. */
function exifOf(jpeg: Uint8Array): Uint8Array | undefined {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  for (let at = 2; at + 4 <= jpeg.byteLength && view.getUint8(at) === 0xff;) {
    const [marker, length] = [view.getUint8(at + 1), view.getUint16(at + 2)];
    if (marker === START_OF_SCAN) return undefined;
    const segment = jpeg.subarray(at + 4, at + 2 + length);
    if (marker === APP1 && String.fromCharCode(...segment.subarray(0, 6)) === 'Exif\0\0') return segment.subarray(6);
    at += 2 + length;
  }
  return undefined;
}

/** @throws RangeError where the data end too early */
function readOrientation(tiff: DataView): number {
  const littleEndian = tiff.getUint16(0) === 0x4949;
  const directory = tiff.getUint32(4, littleEndian);
  const entries = tiff.getUint16(directory, littleEndian);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + 12 * entry;
    if (tiff.getUint16(at, littleEndian) === ORIENTATION) return tiff.getUint16(at + 8, littleEndian);
  }
  return 1;
}
