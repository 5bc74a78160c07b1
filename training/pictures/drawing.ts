/**
 * Prepares drawings like MNIST's digits: white ink on black, the drawing's longer side scaled to 20 of 28 pixels, and
 * its centre of mass moved to the centre.
 *
 * Source: http://yann.lecun.com/exdb/mnist/ (archived), and "Gradient-based learning applied to document recognition",
 * 1998
 *
 * Loops over all pixels of a picture read elements with `?? 0`: with `present` a drawing takes a tenth longer.
 */
import { at as elementAt, present } from '../arrays/index.ts';
import { luma, rowSplitter } from './channels.ts';
import { uprightPlaces, uprightSize } from './exif.ts';
import { giveBack, type PictureRows, type Plane } from './picture.ts';
import type { PictureSize } from './preparation.ts';
import { type Box, Resampler } from './resample.ts';

/** The share of the picture's side that a drawing fills: 20 of 28 pixels. */
const BOX = 20 / 28;
/** Pixels with less than this share of the strongest ink count as paper when the drawing is cropped. */
const FAINT = 0.1;

/** Returns a grey plane, 255 where the ink is strongest; all 0 for a picture of one colour. */
export function prepareDrawing(picture: PictureRows, { rows, columns }: PictureSize): Plane {
  const grey = greyOf(picture);
  const ink = inkOf(grey);
  const frame = frameOf(grey, ink);
  if (frame === undefined) return { width: columns, height: rows, data: new Uint8Array(rows * columns) };
  const scale = Math.min((BOX * columns) / frame.width, (BOX * rows) / frame.height);
  const fit = (side: number): number => Math.max(Math.round(side * scale), 1);
  const framed = resampleFrame(grey, ink, frame, { columns: fit(frame.width), rows: fit(frame.height) });
  giveBack(grey.data);
  return centred(framed, { rows, columns });
}

/**
 * Returns the whole drawing in grey, upright. Transparent pixels show black paper under light ink, and white paper
 * under dark ink. Which of them it is becomes known only after the last row, so both are kept until then.
 */
function greyOf(picture: PictureRows): Plane {
  const { rows: height, columns: width } = uprightSize(picture);
  const places = uprightPlaces(picture);
  const papers = (picture.channels % 2 === 0 ? [0, 255] : [255]).map((paper) => ({
    split: rowSplitter(picture, 1, [paper, paper, paper]),
    data: new Uint8Array(width * height),
  }));
  const inks = { light: 0, opaque: 0 };
  let y = 0;
  picture.read((row) => {
    const [start, step] = places(y++);
    for (const { split, data } of papers) {
      const line = elementAt(split(row), 0);
      for (let x = 0, to = start; x < picture.width; x++, to += step) data[to] = line[x] ?? 0;
    }
    if (picture.channels % 2 === 0) addInk(row, picture.channels, inks);
  });
  const onBlack = elementAt(papers, 0);
  const onWhite = papers[1];
  const isDark = onWhite && inks.light <= 127.5 * inks.opaque;
  if (onWhite) giveBack(isDark ? onBlack.data : onWhite.data);
  return { width, height, data: isDark ? onWhite.data : onBlack.data };
}

function addInk(row: Uint8Array, channels: number, inks: { light: number; opaque: number }): void {
  let [light, opaque] = [0, 0];
  for (let at = 0; at < row.length; at += channels) {
    const alpha = present(row[at + channels - 1]);
    const red = present(row[at]);
    opaque += alpha;
    light += alpha * (channels === 2 ? red : luma(red, present(row[at + 1]), present(row[at + 2])));
  }
  inks.light += light;
  inks.opaque += opaque;
}

/**
 * Maps each grey to its amount of ink: |grey − paper|, scaled so that the strongest is 255. Paper is the median of the
 * picture's edge. All are 0 where there is no ink.
 */
function inkOf(grey: Plane): Uint8Array {
  const counts = new Uint32Array(256);
  for (const value of grey.data) counts[value] = (counts[value] ?? 0) + 1;
  const paper = median(edgeOf(grey));
  const sum = counts.reduce((total, count, value) => total + count * (value - paper), 0);
  const strongest = (sum < 0 ? counts.findIndex(isSome) : counts.findLastIndex(isSome)) - paper;
  if (strongest === 0) return new Uint8Array(256);
  return Uint8Array.from(counts, (_, value) => Math.max(Math.round(((value - paper) * 255) / strongest), 0));
}

const isSome = (count: number): boolean => count > 0;

function edgeOf({ width, height, data }: Plane): number[] {
  const rows = [0, height - 1].flatMap((y) => Array.from({ length: width }, (_, x) => present(data[y * width + x])));
  const columns = [0, width - 1].flatMap((x) => Array.from({ length: height }, (_, y) => present(data[y * width + x])));
  return [...rows, ...columns];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return elementAt(sorted, sorted.length >> 1);
}

/** Returns the smallest box that contains all ink, or `undefined` where there is none. */
function frameOf({ width, height, data }: Plane, ink: Uint8Array): Box | undefined {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if ((ink[data[i] ?? 0] ?? 0) <= FAINT * 255) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (right < left) return undefined;
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function resampleFrame(grey: Plane, ink: Uint8Array, frame: Box, size: PictureSize): Plane {
  const { width, height } = frame;
  const box = { left: 0, top: 0, width, height };
  const resampler = new Resampler({ width, height, ...size, box, orientation: 1 });
  const line = new Uint8Array(width);
  for (let y = 0; y < height; y++) {
    const from = (frame.top + y) * grey.width + frame.left;
    for (let x = 0; x < width; x++) line[x] = ink[grey.data[from + x] ?? 0] ?? 0;
    resampler.push(line);
  }
  return resampler.result();
}

/**
 * Moves the centre of mass to the central pixel ([14, 14] of 28 × 28), as far as the drawing stays inside. It moves by
 * whole pixels, so that nothing is blurred.
 */
function centred({ width, height, data }: Plane, size: PictureSize): Plane {
  const mass = data.reduce((sum, value) => sum + value, 0);
  const mean = (position: (i: number) => number): number =>
    data.reduce((sum, value, i) => sum + value * position(i), 0) / mass;
  const offset = (centre: number, side: number, whole: number): number =>
    Math.min(Math.max(Math.round(whole / 2 - centre), 0), whole - side);
  const column = mean((i) => i % width);
  const row = mean((i) => Math.floor(i / width));
  return laidOnto(
    { width, height, data },
    { width: size.columns, height: size.rows, data: new Uint8Array(size.rows * size.columns) },
    offset(column, width, size.columns),
    offset(row, height, size.rows),
  );
}

/** Returns `under` with the plane drawn onto it, its top left corner at (left, top). */
export function laidOnto(plane: Plane, under: Plane, left: number, top: number): Plane {
  const data = under.data.slice();
  for (let y = 0; y < plane.height; y++) {
    const row = plane.data.subarray(y * plane.width, (y + 1) * plane.width);
    data.set(row, (top + y) * under.width + left);
  }
  return { ...under, data };
}
