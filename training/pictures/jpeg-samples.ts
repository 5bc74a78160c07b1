/**
 * Converts the samples of a JPEG's channels to rows of pixels. Channels at half the size are enlarged linearly and
 * colours are converted with integers, bit for bit as libjpeg-turbo does by default. Pillow, OpenCV, sharp and browsers
 * built on it show the same pixels.
 *
 * Source: https://github.com/libjpeg-turbo/libjpeg-turbo/blob/3.0.1/jdsample.c and jdcolor.c
 *
 * `widenSums` and `mixYcc`, through which most photos go, read elements with `?? 0`: `present` costs some percent
 * there.
 */
import { at, present } from '../arrays/index.ts';
import type { Component, JpegColour } from './jpeg-format.ts';

/** Holds three strips of a component's samples: one is being written while the two before it are read. */
export class SampleStrips {
  readonly component: Component;
  /** The distance between two rows. */
  readonly stride: number;
  /** The number of rows in a strip. */
  readonly rows: number;
  readonly #strips: readonly Uint8Array[];

  constructor(component: Component, blocks: number) {
    this.component = component;
    this.stride = blocks * 8;
    this.rows = component.down * 8;
    this.#strips = Array.from({ length: 3 }, () => new Uint8Array(this.stride * this.rows));
  }

  strip(index: number): Uint8Array {
    return at(this.#strips, index % 3);
  }

  /** Returns a row of samples. Rows above the first and below the last repeat these. */
  row(y: number): Uint8Array {
    const inside = Math.min(Math.max(y, 0), this.component.height - 1);
    const from = (inside % this.rows) * this.stride;
    return this.strip(Math.floor(inside / this.rows)).subarray(from, from + this.stride);
  }
}

/** Returns a row of the picture in one channel. The array is reused by the next call. */
export type RowReader = (y: number) => Uint8Array;

/**
 * Returns a function that reads rows at the picture's full size.
 *
 * @param across the number of the picture's columns for each sample
 * @param down the number of the picture's rows for each sample
 */
export function rowReader(strips: SampleStrips, across: number, down: number): RowReader {
  const { width } = strips.component;
  const row = new Uint8Array(strips.stride * across);
  if (across === 1 && down === 1) return (y) => strips.row(y);
  if (across === 1 && down === 2) {
    return (y) => {
      const [near, far] = [strips.row(y >> 1), strips.row((y >> 1) + (y % 2 === 0 ? -1 : 1))];
      const half = y % 2 === 0 ? 1 : 2;
      for (let x = 0; x < width; x++) row[x] = (3 * present(near[x]) + present(far[x]) + half) >> 2;
      return row;
    };
  }
  if (across === 2 && down === 1 && width > 2) {
    return (y) => {
      widen(strips.row(y), width, row);
      return row;
    };
  }
  if (across === 2 && down === 2 && width > 2) {
    const sums = new Int32Array(width);
    return (y) => {
      const [near, far] = [strips.row(y >> 1), strips.row((y >> 1) + (y % 2 === 0 ? -1 : 1))];
      for (let x = 0; x < width; x++) sums[x] = 3 * present(near[x]) + present(far[x]);
      widenSums(sums, row);
      return row;
    };
  }
  return (y) => {
    const from = strips.row(Math.floor(y / down));
    for (let x = 0, to = 0; x < width; x++) for (let i = 0; i < across; i++) row[to++] = present(from[x]);
    return row;
  };
}

/**
 * Doubles a row: each sample becomes two, weighted 3 to 1 with its left and its right neighbour. Halves are rounded
 * down on the left and up on the right.
 */
function widen(from: Uint8Array, width: number, to: Uint8Array): void {
  let left = present(from[0]);
  for (let x = 0; x < width; x++) {
    const here = present(from[x]);
    const right = x + 1 < width ? present(from[x + 1]) : here;
    to[2 * x] = (3 * here + left + 1) >> 2;
    to[2 * x + 1] = (3 * here + right + 2) >> 2;
    left = here;
  }
}

/** Doubles a row of sums, which are samples times 4. Halves are rounded up on the left and down on the right. */
function widenSums(from: Int32Array, to: Uint8Array): void {
  let left = from[0] ?? 0;
  for (let x = 0; x < from.length; x++) {
    const here = from[x] ?? 0;
    const right = x + 1 < from.length ? (from[x + 1] ?? 0) : here;
    to[2 * x] = (3 * here + left + 8) >> 4;
    to[2 * x + 1] = (3 * here + right + 7) >> 4;
    left = here;
  }
}

/** Combines the channels' rows into a row of pixels. */
type Mix = (rows: readonly Uint8Array[], width: number, pixels: Uint8Array) => void;

export const channelsOf: Readonly<Record<JpegColour, 1 | 3>> = { grey: 1, rgb: 3, ycc: 3, cmyk: 3, ycck: 3 };

export const mixes: Readonly<Record<JpegColour, Mix>> = {
  grey: (rows, width, pixels) => {
    pixels.set(at(rows, 0).subarray(0, width));
  },
  rgb: (rows, width, pixels) => {
    rows.forEach((row, channel) => {
      for (let x = 0, to = channel; x < width; x++, to += 3) pixels[to] = present(row[x]);
    });
  },
  ycc: (rows, width, pixels) => {
    mixYcc(at(rows, 0), at(rows, 1), at(rows, 2), width, pixels);
  },
  cmyk: (rows, width, pixels) => {
    const black = at(rows, 3);
    rows.slice(0, 3).forEach((ink, channel) => {
      for (let x = 0, to = channel; x < width; x++, to += 3) pixels[to] = onBlack(present(ink[x]), present(black[x]));
    });
  },
  ycck: (rows, width, pixels) => {
    mixYcc(at(rows, 0), at(rows, 1), at(rows, 2), width, pixels);
    const black = at(rows, 3);
    for (let i = 0; i < 3 * width; i++) {
      pixels[i] = onBlack(255 - present(pixels[i]), present(black[Math.floor(i / 3)]));
    }
  },
};

/** Returns the light that an ink and black leave. Adobe stores ink inverted: 255 is no ink. */
const onBlack = (ink: number, black: number): number => Math.floor((ink * black + 127) / 255);

/**
 * The contributions of the two colour channels to red, green and blue. Those to green are in units of 1/2¹⁶; the first
 * of them includes the half that rounds the sum.
 */
const HALF = 1 << 15;
const factor = (value: number): number => Math.round(value * 2 ** 16);
const table = (entry: (distance: number) => number): Int32Array =>
  Int32Array.from({ length: 256 }, (_, byte) => entry(byte - 128));
const redOfRed = table((distance) => (factor(1.402) * distance + HALF) >> 16);
const blueOfBlue = table((distance) => (factor(1.772) * distance + HALF) >> 16);
const greenOfBlue = table((distance) => -factor(0.34414) * distance + HALF);
const greenOfRed = table((distance) => -factor(0.71414) * distance);

function mixYcc(luma: Uint8Array, blue: Uint8Array, red: Uint8Array, width: number, pixels: Uint8Array): void {
  for (let x = 0, to = 0; x < width; x++, to += 3) {
    const y = luma[x] ?? 0;
    const cb = blue[x] ?? 0;
    const cr = red[x] ?? 0;
    const r = y + (redOfRed[cr] ?? 0);
    const g = y + (((greenOfBlue[cb] ?? 0) + (greenOfRed[cr] ?? 0)) >> 16);
    const b = y + (blueOfBlue[cb] ?? 0);
    pixels[to] = r < 0 ? 0 : r > 255 ? 255 : r;
    pixels[to + 1] = g < 0 ? 0 : g > 255 ? 255 : g;
    pixels[to + 2] = b < 0 ? 0 : b > 255 ? 255 : b;
  }
}
