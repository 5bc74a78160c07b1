/**
 * How a camera was held: the Exif tag Orientation of a JPEG, and the picture turned upright. A broken Exif segment is no reason to
 * refuse a picture: it counts as none.
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
  const { width, height } = picture;
  const turned = orientation >= 5 ? { width: height, height: width } : { width, height };
  const from = new Uint32Array(picture.data.buffer, picture.data.byteOffset, width * height);
  const to = new Uint32Array(from.length);
  for (let i = 0; i < to.length; i++) {
    const [x, y] = source(i % turned.width, Math.floor(i / turned.width), width, height);
    to[i] = from[y * width + x] ?? 0;
  }
  return { ...turned, data: new Uint8Array(to.buffer) };
}

/** The value of the tag in a JPEG file, 1 where there is none. */
export function orientationOf(jpeg: Uint8Array): number {
  const exif = exifOf(jpeg);
  try {
    return exif ? readOrientation(exif) : 1;
  } catch {
    return 1;
  }
}

/** What follows the segment's `Exif\0\0`: a TIFF file. */
function exifOf(jpeg: Uint8Array): DataView | undefined {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  for (let at = 2; at + 4 <= jpeg.byteLength && view.getUint8(at) === 0xff;) {
    const [marker, length] = [view.getUint8(at + 1), view.getUint16(at + 2)];
    if (marker === START_OF_SCAN) return undefined;
    const segment = jpeg.subarray(at + 4, at + 2 + length);
    if (marker === APP1 && String.fromCharCode(...segment.subarray(0, 6)) === 'Exif\0\0') {
      return new DataView(segment.buffer, segment.byteOffset + 6, Math.max(segment.byteLength - 6, 0));
    }
    at += 2 + length;
  }
  return undefined;
}

/** @throws RangeError where the segment ends too early */
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
