/**
 * Resizing one channel: linear interpolation where it grows; where it shrinks, the same triangle as wide as the shrinking, so that
 * thin strokes fade instead of vanishing. It is Pillow's `BILINEAR` up to version 12, bit for bit, and torchvision's with
 * `antialias=True` to its rounding: whole numbers only, first along the rows, then along the columns, each rounded to bytes.
 * https://github.com/python-pillow/Pillow/blob/12.0.0/src/libImaging/Resample.c
 */
import type { Plane } from './picture.ts';

/** The part of a plane to resize, in pixels from its top left corner; fractions of pixels count as such. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const wholeOf = ({ width, height }: Plane): Box => ({ left: 0, top: 0, width, height });

export function resample(plane: Plane, columns: number, rows: number, box: Box = wholeOf(plane)): Plane {
  return resampleColumns(
    resampleRows(plane, sharesOf(plane.width, box.left, box.width, columns)),
    sharesOf(plane.height, box.top, box.height, rows),
  );
}

/** What a target pixel is made of: neighbours from `first` on, with weights in 1/2²² that add up to 1. */
interface Shares {
  readonly first: number;
  readonly weights: Int32Array;
}

const BITS = 22;
const HALF = 1 << (BITS - 1);

/** For each of `target` pixels that cover `length` of `source` pixels from `start` on. */
function sharesOf(source: number, start: number, length: number, target: number): readonly Shares[] {
  const scale = length / target;
  const radius = Math.max(scale, 1);
  return Array.from({ length: target }, (_, x) => {
    const centre = start + (x + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - radius + 0.5), 0);
    const end = Math.min(Math.trunc(centre + radius + 0.5), source);
    const raw = Array.from({ length: end - first }, (_, i) =>
      Math.max(1 - Math.abs((i + first - centre + 0.5) * (1 / radius)), 0),
    );
    const sum = raw.reduce((a, b) => a + b, 0);
    return { first, weights: Int32Array.from(raw, (weight) => Math.trunc(0.5 + (weight / sum) * 2 ** BITS)) };
  });
}

/** Whether every target pixel is the source pixel at its place. */
const isIdentity = (shares: readonly Shares[], source: number): boolean =>
  shares.length === source && shares.every(({ first, weights }, x) => weights[x - first] === 2 ** BITS);

function resampleRows(plane: Plane, shares: readonly Shares[]): Plane {
  const { width, height, data } = plane;
  if (isIdentity(shares, width)) return plane;
  const result = new Uint8Array(shares.length * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (const { first, weights } of shares) {
      const from = y * width + first;
      let sum = HALF;
      for (let i = 0; i < weights.length; i++) sum += (weights[i] ?? 0) * (data[from + i] ?? 0);
      result[to++] = Math.min(sum >> BITS, 255);
    }
  }
  return { width: shares.length, height, data: result };
}

function resampleColumns(plane: Plane, shares: readonly Shares[]): Plane {
  const { width, height, data } = plane;
  if (isIdentity(shares, height)) return plane;
  const result = new Uint8Array(width * shares.length);
  const sums = new Int32Array(width);
  shares.forEach(({ first, weights }, y) => {
    sums.fill(HALF);
    weights.forEach((weight, i) => {
      const from = (first + i) * width;
      for (let x = 0; x < width; x++) sums[x] = (sums[x] ?? 0) + weight * (data[from + x] ?? 0);
    });
    for (let x = 0; x < width; x++) result[y * width + x] = Math.min((sums[x] ?? 0) >> BITS, 255);
  });
  return { width, height: shares.length, data: result };
}
