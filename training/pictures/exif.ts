/**
 * Reads the Exif tag Orientation of a JPEG or PNG, which says how the camera was held, and turns the picture upright.
 * Broken Exif data are no reason to refuse a picture: they count as none.
 *
 * Source: https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E (4.6.2, 4.6.5.1)
 */
import { present } from '../arrays/index.ts';
import type { Picture, PictureRows } from './picture.ts';
import type { PictureSize } from './preparation.ts';

const ORIENTATION = 0x0112;
const APP1 = 0xe1;
const START_OF_SCAN = 0xda;
/** A byte that may stand any number of times before a marker. */
const FILL = 0xff;

/** The storage of the upright picture's rows and columns. */
export interface StoredAs {
  /** Is true where rows of the upright picture are stored as columns. */
  readonly turned: boolean;
  /** Is true where the stored columns (`mirrorAcross`) or rows (`mirrorDown`) run the other way. */
  readonly mirrorAcross: boolean;
  readonly mirrorDown: boolean;
}

export const storedAs = (orientation: number): StoredAs => ({
  turned: orientation >= 5 && orientation <= 8,
  mirrorAcross: [2, 3, 7, 8].includes(orientation),
  mirrorDown: [3, 4, 6, 7].includes(orientation),
});

/** Returns the size of the upright picture. */
export function uprightSize({ width, height, orientation }: Omit<PictureRows, 'read'>): PictureSize {
  return storedAs(orientation).turned ? { rows: width, columns: height } : { rows: height, columns: width };
}

/**
 * Returns where the pixels of a stored row are in the upright picture: the index of the first one, and the step between
 * two.
 */
export type RowPlaces = (y: number) => readonly [start: number, step: number];

export function uprightPlaces(rows: Omit<PictureRows, 'read'>): RowPlaces {
  const { width, height } = rows;
  const { turned, mirrorAcross, mirrorDown } = storedAs(rows.orientation);
  const { columns } = uprightSize(rows);
  const [across, down] = turned ? [columns, 1] : [1, columns];
  return (y) => [
    (mirrorDown ? height - 1 - y : y) * down + (mirrorAcross ? width - 1 : 0) * across,
    mirrorAcross ? -across : across,
  ];
}

/** Reads all rows, and puts each at its upright place. */
export function uprightPicture(rows: PictureRows): Picture {
  const { width, channels } = rows;
  const size = uprightSize(rows);
  const places = uprightPlaces(rows);
  // A damaged file may end before its first row, so memory is allocated only then.
  let data = new Uint8Array();
  let y = 0;
  rows.read((row) => {
    if (y === 0) data = new Uint8Array(size.rows * size.columns * channels);
    const [start, step] = places(y++);
    if (step === 1) data.set(row, start * channels);
    else {
      for (let x = 0; x < width; x++) {
        const [from, to] = [x * channels, (start + x * step) * channels];
        for (let channel = 0; channel < channels; channel++) data[to + channel] = present(row[from + channel]);
      }
    }
  });
  return { width: size.columns, height: size.rows, channels, data };
}

/** Returns the value of the tag in a JPEG file, 1 where there is none. */
export function orientationOf(jpeg: Uint8Array): number {
  const exif = exifOf(jpeg);
  return exif ? exifOrientation(exif) : 1;
}

/**
 * Returns the value of the tag, 1 where there is none.
 *
 * @param exif a TIFF file: the data of a PNG's eXIf chunk, or of a JPEG's APP1 segment behind its name
 */
export function exifOrientation(exif: Uint8Array): number {
  try {
    return readOrientation(new DataView(exif.buffer, exif.byteOffset, exif.byteLength));
  } catch {
    return 1;
  }
}

/** Returns the content of the Exif segment behind `Exif\0\0`. */
function exifOf(jpeg: Uint8Array): Uint8Array | undefined {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  for (let at = 2; at + 4 <= jpeg.byteLength && view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1);
    if (marker === START_OF_SCAN) return undefined;
    if (marker === FILL) {
      at++;
      continue;
    }
    const end = at + 2 + view.getUint16(at + 2);
    const segment = jpeg.subarray(at + 4, end);
    if (marker === APP1 && String.fromCharCode(...segment.subarray(0, 6)) === 'Exif\0\0') return segment.subarray(6);
    at = end;
  }
  return undefined;
}

/**
 * Reads the tag.
 *
 * @throws RangeError where the data end too early
 */
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
