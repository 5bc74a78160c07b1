/**
 * Drawings as MNIST's were prepared: ink white on black, the drawing's longer side scaled to 20 of 28 pixels, and its centre of mass
 * moved to the centre.
 * http://yann.lecun.com/exdb/mnist/ (archived), "Gradient-based learning applied to document recognition", 1998
 */
import { greyOf, luma } from './channels.ts';
import type { Picture, Plane } from './picture.ts';
import type { PictureSize } from './preparation.ts';
import { resample } from './resample.ts';

/** The share of the picture that a drawing fills: 20 of 28 pixels. */
const BOX = 20 / 28;
/** The share of the strongest ink below which a pixel is taken for paper when the drawing is framed. */
const FAINT = 0.1;

/** A grey plane, 255 where the ink is strongest; all 0 for a picture of one colour. */
export function prepareDrawing(picture: Picture, { rows, columns }: PictureSize): Plane {
  const paper = paperUnder(picture);
  const frame = frameOf(inkOf(greyOf(picture, [paper, paper, paper])));
  if (frame === undefined) return { width: columns, height: rows, data: new Uint8Array(rows * columns) };
  const scale = Math.min((BOX * columns) / frame.width, (BOX * rows) / frame.height);
  const fit = (side: number): number => Math.max(Math.round(side * scale), 1);
  return centred(resample(frame, fit(frame.width), fit(frame.height)), { rows, columns });
}

/** Where a drawing is transparent it shows black paper under light ink and white paper under dark ink. */
function paperUnder({ channels, data }: Picture): number {
  if (channels % 2 === 1) return 255;
  let [light, opaque] = [0, 0];
  for (let at = 0; at < data.length; at += channels) {
    const alpha = data[at + channels - 1] ?? 0;
    const red = data[at] ?? 0;
    opaque += alpha;
    light += alpha * (channels === 2 ? red : luma(red, data[at + 1] ?? 0, data[at + 2] ?? 0));
  }
  return light > 127.5 * opaque ? 0 : 255;
}

/** |pixel − paper|, stretched so that the strongest is 255. Paper is what most of the picture's edge shows. */
function inkOf(grey: Plane): Plane {
  const { width, height, data } = grey;
  const paper = median(edgeOf(grey));
  let [sum, lowest, highest] = [0, Infinity, -Infinity];
  for (const value of data) {
    sum += value - paper;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  const strongest = sum < 0 ? lowest - paper : highest - paper;
  if (strongest === 0) return { width, height, data: new Uint8Array(data.length) };
  return { width, height, data: data.map((value) => Math.max(Math.round(((value - paper) * 255) / strongest), 0)) };
}

function edgeOf({ width, height, data }: Plane): number[] {
  const rows = [0, height - 1].flatMap((y) => Array.from({ length: width }, (_, x) => data[y * width + x] ?? 0));
  const columns = [0, width - 1].flatMap((x) => Array.from({ length: height }, (_, y) => data[y * width + x] ?? 0));
  return [...rows, ...columns];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** The part of the picture that has ink, or `undefined` where none has. */
function frameOf({ width, height, data }: Plane): Plane | undefined {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let i = 0; i < data.length; i++) {
    if ((data[i] ?? 0) <= FAINT * 255) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  }
  if (right < left) return undefined;
  const [columns, rows] = [right - left + 1, bottom - top + 1];
  const framed = Uint8Array.from({ length: columns * rows }, (_, i) => {
    return data[(top + Math.floor(i / columns)) * width + left + (i % columns)] ?? 0;
  });
  return { width: columns, height: rows, data: framed };
}

/**
 * Moves the centre of mass to the pixel at the centre ([14, 14] of 28 × 28) by whole pixels, so that nothing blurs, as far
 * as the drawing stays inside.
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

/** `under`, on which the plane lies from (left, top) on. */
export function laidOnto(plane: Plane, under: Plane, left: number, top: number): Plane {
  const data = under.data.slice();
  for (let y = 0; y < plane.height; y++) {
    const row = plane.data.subarray(y * plane.width, (y + 1) * plane.width);
    data.set(row, (top + y) * under.width + left);
  }
  return { ...under, data };
}
