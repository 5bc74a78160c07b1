/**
 * From the samples of a JPEG's channels to rows of pixels. Channels at half the size are enlarged linearly, and colours converted in whole
 * numbers, as libjpeg-turbo does by default, bit for bit: what Pillow, OpenCV, sharp and browsers on it show.
 * https://github.com/libjpeg-turbo/libjpeg-turbo/blob/3.0.1/jdsample.c and jdcolor.c
 */
import type { Component, JpegColour } from './jpeg-segments.ts';

/** Three strips of a component's samples: while one is read, the two before it are shown. */
export class SampleStrips {
  readonly component: Component;
  /** From a row to the next. */
  readonly stride: number;
  /** Of a strip. */
  readonly rows: number;
  readonly #strips: readonly Uint8Array[];

  constructor(component: Component, blocks: number) {
    this.component = component;
    this.stride = blocks * 8;
    this.rows = component.down * 8;
    this.#strips = Array.from({ length: 3 }, () => new Uint8Array(this.stride * this.rows));
  }

  strip(index: number): Uint8Array {
    return this.#strips[index % 3] ?? new Uint8Array();
  }

  /** Above the first row and below the last one, these. */
  row(y: number): Uint8Array {
    const inside = Math.min(Math.max(y, 0), this.component.height - 1);
    const from = (inside % this.rows) * this.stride;
    return this.strip(Math.floor(inside / this.rows)).subarray(from, from + this.stride);
  }
}

/** Gives a row of the picture in one channel, which is another's after the next call. */
export type RowReader = (y: number) => Uint8Array;

/**
 * @param across how many of the picture's columns a sample is wide
 * @param down how many of its rows it is high
 */
export function rowReader(strips: SampleStrips, across: number, down: number): RowReader {
  const { width } = strips.component;
  const row = new Uint8Array(strips.stride * across);
  if (across === 1 && down === 1) return (y) => strips.row(y);
  if (across === 1 && down === 2) {
    return (y) => {
      const [near, far] = [strips.row(y >> 1), strips.row((y >> 1) + (y % 2 === 0 ? -1 : 1))];
      const half = y % 2 === 0 ? 1 : 2;
      for (let x = 0; x < width; x++) row[x] = (3 * (near[x] ?? 0) + (far[x] ?? 0) + half) >> 2;
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
      for (let x = 0; x < width; x++) sums[x] = 3 * (near[x] ?? 0) + (far[x] ?? 0);
      widenSums(sums, row);
      return row;
    };
  }
  return (y) => {
    const from = strips.row(Math.floor(y / down));
    for (let x = 0, to = 0; x < width; x++) for (let i = 0; i < across; i++) row[to++] = from[x] ?? 0;
    return row;
  };
}

/** Each sample becomes two: three parts of it and one of its neighbour; halves are rounded down on the left and up on the right. */
function widen(from: Uint8Array, width: number, to: Uint8Array): void {
  let left = from[0] ?? 0;
  for (let x = 0; x < width; x++) {
    const here = from[x] ?? 0;
    const right = x + 1 < width ? (from[x + 1] ?? 0) : here;
    to[2 * x] = (3 * here + left + 1) >> 2;
    to[2 * x + 1] = (3 * here + right + 2) >> 2;
    left = here;
  }
}

/** The same of samples times 4. */
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

/** The channels' rows to a row of pixels, side by side. */
type Mix = (rows: readonly Uint8Array[], width: number, pixels: Uint8Array) => void;

export const channelsOf: Readonly<Record<JpegColour, 1 | 3>> = { grey: 1, rgb: 3, ycc: 3, cmyk: 3, ycck: 3 };

export const mixes: Readonly<Record<JpegColour, Mix>> = {
  grey: ([grey = none], width, pixels) => {
    pixels.set(grey.subarray(0, width));
  },
  rgb: (rows, width, pixels) => {
    rows.forEach((row, channel) => {
      for (let x = 0, to = channel; x < width; x++, to += 3) pixels[to] = row[x] ?? 0;
    });
  },
  ycc: ([luma = none, blue = none, red = none], width, pixels) => {
    mixYcc(luma, blue, red, width, pixels);
  },
  cmyk: ([cyan = none, magenta = none, yellow = none, black = none], width, pixels) => {
    [cyan, magenta, yellow].forEach((ink, channel) => {
      for (let x = 0, to = channel; x < width; x++, to += 3) pixels[to] = onBlack(ink[x] ?? 0, black[x] ?? 0);
    });
  },
  ycck: ([luma = none, blue = none, red = none, black = none], width, pixels) => {
    mixYcc(luma, blue, red, width, pixels);
    for (let at = 0; at < 3 * width; at++)
      pixels[at] = onBlack(255 - (pixels[at] ?? 0), black[Math.floor(at / 3)] ?? 0);
  },
};

const none = new Uint8Array();

/** Adobe stores ink the other way round: 255 is none of it. */
const onBlack = (ink: number, black: number): number => Math.floor((ink * black + 127) / 255);

/** What a byte of the two colour channels adds to red, green and blue, in 1/2¹⁶; of green's the first holds the half that rounds. */
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
