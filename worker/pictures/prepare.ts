/**
 * Pictures as the network was trained on them. Drawings are prepared as MNIST's were: ink white on black, the drawing's
 * longer side scaled to 20 of 28 pixels, and its centre of mass moved to the centre.
 * http://yann.lecun.com/exdb/mnist/ (archived), "Gradient-based learning applied to document recognition", 1998
 *
 * Pure functions of pixels: they run in a Worker, in Node and in a browser.
 */
import { resample, type Plane } from './resample.ts';

/** One byte per pixel, row by row; 0 is black. */
export interface Grey {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The share of the picture that a drawing fills: 20 of 28 pixels. */
const BOX = 20 / 28;
/** The share of the strongest ink below which a pixel is taken for paper when the drawing is framed. */
const FAINT = 0.1;

/**
 * @returns bytes of the given size, 255 where the ink is strongest; all 0 for a picture of one colour
 */
export function prepareDigit(grey: Grey, size: Size): Uint8Array {
  const ink = inkOf(grey);
  const frame = frameOf(ink);
  if (frame === undefined) return new Uint8Array(size.width * size.height);
  const scale = Math.min((BOX * size.width) / frame.width, (BOX * size.height) / frame.height);
  const fit = (side: number): number => Math.max(Math.round(side * scale), 1);
  return centred(resample(frame, fit(frame.width), fit(frame.height)), size);
}

/** |pixel − paper|, stretched so that the strongest is 255. Paper is what most of the picture's edge shows. */
function inkOf(grey: Grey): Plane {
  const { width, height, data } = grey;
  const paper = median(edgeOf(grey));
  let [sum, lowest, highest] = [0, Infinity, -Infinity];
  for (let i = 0; i < width * height; i++) {
    const value = data[i] ?? 0;
    sum += value - paper;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  const strongest = sum < 0 ? lowest - paper : highest - paper;
  const gain = strongest === 0 ? 0 : 255 / strongest;
  const ink = new Float32Array(width * height);
  for (let i = 0; i < ink.length; i++) ink[i] = Math.max(((data[i] ?? 0) - paper) * gain, 0);
  return { width, height, data: ink };
}

function edgeOf({ width, height, data }: Grey): number[] {
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
  const framed = Float32Array.from({ length: columns * rows }, (_, i) => {
    return data[(top + Math.floor(i / columns)) * width + left + (i % columns)] ?? 0;
  });
  return { width: columns, height: rows, data: framed };
}

/**
 * Moves the centre of mass to the pixel at the centre ([14, 14] of 28 × 28) by whole pixels, so that nothing blurs, as far
 * as the drawing stays inside.
 */
function centred({ width, height, data }: Plane, size: Size): Uint8Array {
  const mass = data.reduce((sum, value) => sum + value, 0);
  const mean = (position: (i: number) => number): number =>
    data.reduce((sum, value, i) => sum + value * position(i), 0) / mass;
  const offset = (centre: number, side: number, whole: number): number =>
    Math.min(Math.max(Math.round(whole / 2 - centre), 0), whole - side);
  const left = offset(
    mean((i) => i % width),
    width,
    size.width,
  );
  const top = offset(
    mean((i) => Math.floor(i / width)),
    height,
    size.height,
  );
  const result = new Uint8Array(size.width * size.height);
  data.forEach((value, i) => {
    result[(top + Math.floor(i / width)) * size.width + left + (i % width)] = Math.round(value);
  });
  return result;
}
