/**
 * Turns pen strokes into grey pixels, without a canvas: browsers that guard against fingerprinting scramble what a page
 * reads from one.
 */
import { present } from '../../../../../training/arrays/index.ts';
import type { Pixels, Size } from '../pixels.ts';
import type { Point, Stroke } from './stroke.ts';

/**
 * Returns a picture `[rows, columns]` of strokes, whose unit is a pixel. An edge that crosses a pixel greys it by the
 * share it covers.
 * @param pen the width of the strokes, in pixels
 */
export function rasterize(strokes: readonly Stroke[], pen: number, size: Size): Pixels {
  const pixels = new Uint8Array(size.rows * size.columns);
  for (const stroke of strokes) {
    stroke.forEach((to, i) => {
      inkSegment(pixels, size, stroke[i - 1] ?? to, to, pen / 2);
    });
  }
  return pixels;
}

function inkSegment(pixels: Pixels, { rows, columns }: Size, from: Point, to: Point, radius: number): void {
  const [left, right] = reach(from[0], to[0], radius, columns);
  const [top, bottom] = reach(from[1], to[1], radius, rows);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const covered = radius + 0.5 - distance([column + 0.5, row + 0.5], from, to);
      const ink = Math.round(255 * Math.min(Math.max(covered, 0), 1));
      const i = row * columns + column;
      pixels[i] = Math.max(present(pixels[i]), ink);
    }
  }
}

/** Returns the first and last pixel that a segment can touch along one axis. */
function reach(from: number, to: number, radius: number, size: number): [number, number] {
  const first = Math.floor(Math.min(from, to) - radius - 0.5);
  const last = Math.floor(Math.max(from, to) + radius + 0.5);
  return [Math.max(first, 0), Math.min(last, size - 1)];
}

/** Returns the distance from a point to the nearest point of a segment. */
function distance([x, y]: Point, [x0, y0]: Point, [x1, y1]: Point): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length2 = dx * dx + dy * dy;
  const along = length2 === 0 ? 0 : Math.min(Math.max(((x - x0) * dx + (y - y0) * dy) / length2, 0), 1);
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}
