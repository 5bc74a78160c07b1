/**
 * Resizes one channel by linear interpolation where it grows. Where it shrinks, the triangle filter is as wide as a
 * target pixel, so that thin strokes fade instead of vanishing. The result is that of Pillow's `BILINEAR` up to version
 * 12, bit for bit, and that of torchvision with `antialias=True` up to its rounding. Only integers are used: first
 * along the rows, then along the columns, each rounded to bytes.
 *
 * Source: https://github.com/python-pillow/Pillow/blob/12.0.0/src/libImaging/Resample.c
 *
 * What runs for each sample reads elements with `?? 0`, since `present` costs some percent there.
 */
import { present } from '../arrays/index.ts';
import { storedAs } from './exif.ts';
import type { Plane } from './picture.ts';

/** The part of a plane to resize, in pixels from its top left corner. Fractions of pixels count as such. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The source and the target of a resizing. */
export interface Resampling {
  /** `width` and `height` are those of the upright picture. */
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
  readonly box: Box;
  /** The Exif tag Orientation. Rows arrive as they are stored. */
  readonly orientation: number;
}

/**
 * Resizes a channel whose rows arrive one after another, so that only the result is in memory. A picture that lies on
 * its side is turned on the way: rows of the upright picture are stored columns, which are then resized first.
 */
export class Resampler {
  readonly #columns: number;
  readonly #rows: number;
  readonly #isTurned: boolean;
  /** The kernels of the target's pixels along a stored row. */
  readonly #across: readonly Kernel[];
  /** The kernels of the target's rows, in the order of the stored rows, each with its place in the target. */
  readonly #down: readonly (Kernel & { readonly place: number })[];
  readonly #data: Uint8Array;
  /** The sums in progress: rows of the target, or if the picture is turned, its columns at their full length. */
  readonly #open = new Map<number, Int32Array>();
  #spare: Int32Array[] = [];
  #next = 0;
  #y = 0;

  constructor({ width, height, columns, rows, box, orientation }: Resampling) {
    const { turned, mirrorAcross, mirrorDown } = storedAs(orientation);
    const upright = {
      across: kernelsOf(width, box.left, box.width, columns),
      down: kernelsOf(height, box.top, box.height, rows),
    };
    const stored = turned
      ? { across: upright.down, down: upright.across, width: height, height: width }
      : { ...upright, width, height };
    this.#columns = columns;
    this.#rows = rows;
    this.#isTurned = turned;
    this.#across = mirrorAcross ? mirrored(stored.across, stored.width) : stored.across;
    const down = mirrorDown ? mirrored(stored.down, stored.height) : stored.down;
    this.#down = down.map((kernel, place) => ({ ...kernel, place })).sort((a, b) => a.first - b.first);
    this.#data = new Uint8Array(columns * rows);
  }

  /** Adds the next stored row. */
  push(row: Uint8Array): void {
    const y = this.#y++;
    this.#openSums(y, row.length);
    if (this.#open.size === 0) return;
    const line = this.#isTurned ? row : this.#resized(row, new Uint8Array(this.#across.length));
    for (const [target, sums] of this.#open) {
      const { first, weights, place } = present(this.#down[target]);
      const weight = present(weights[y - first]);
      for (let x = 0; x < line.length; x++) sums[x] = (sums[x] ?? 0) + weight * (line[x] ?? 0);
      const isLast = y === first + weights.length - 1;
      if (!isLast) continue;
      this.#open.delete(target);
      this.#close(place, sums, line.length);
    }
  }

  /** Begins the sums of the target's rows to which the stored row `y` is the first that contributes. */
  #openSums(y: number, length: number): void {
    for (; this.#next < this.#down.length && present(this.#down[this.#next]).first <= y; this.#next++) {
      this.#open.set(this.#next, this.#sums(length));
    }
  }

  /** Returns the result. Call it after all rows have been added. */
  result(): Plane {
    return { width: this.#columns, height: this.#rows, data: this.#data };
  }

  #sums(length: number): Int32Array {
    const sums = this.#spare.pop() ?? new Int32Array(this.#isTurned ? length : this.#across.length);
    return sums.fill(HALF);
  }

  #close(place: number, sums: Int32Array, length: number): void {
    const line = new Uint8Array(length);
    for (let x = 0; x < length; x++) line[x] = Math.min((sums[x] ?? 0) >> BITS, 255);
    this.#spare.push(sums);
    if (this.#isTurned) {
      const column = this.#resized(line, new Uint8Array(this.#rows));
      for (let y = 0; y < column.length; y++) this.#data[y * this.#columns + place] = column[y] ?? 0;
    } else this.#data.set(line, place * this.#columns);
  }

  #resized(row: Uint8Array, to: Uint8Array): Uint8Array {
    for (let x = 0; x < to.length; x++) {
      const { first, weights } = present(this.#across[x]);
      let sum = HALF;
      for (let i = 0; i < weights.length; i++) sum += (weights[i] ?? 0) * (row[first + i] ?? 0);
      to[x] = Math.min(sum >> BITS, 255);
    }
    return to;
  }
}

/**
 * The source pixels that make a target pixel: neighbours from `first` on, with weights in units of 1/2²² that add up to
 * 1.
 */
interface Kernel {
  readonly first: number;
  readonly weights: Int32Array;
}

const BITS = 22;
const HALF = 1 << (BITS - 1);

/** Returns the kernels of `target` pixels, which cover `length` of `source` pixels from `start` on. */
function kernelsOf(source: number, start: number, length: number, target: number): readonly Kernel[] {
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

/** Returns the kernels counted from the other end. */
const mirrored = (kernels: readonly Kernel[], source: number): readonly Kernel[] =>
  kernels.map(({ first, weights }) => ({ first: source - first - weights.length, weights: weights.toReversed() }));
