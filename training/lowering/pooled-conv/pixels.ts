/** Where the pixels of 2 × 2 windows lie, as lists of indices for Gather. Images are in row-major order. */
import type { Geometry } from '../columns.ts';

/** The output's pixels that are at the same corner of their 2 × 2 windows; the corners are counted in row-major order. */
export const cornerPixels = ({ output: [rows, columns] }: Geometry, corner: number): number[] =>
  Array.from({ length: (rows * columns) / 4 }, (_, window) => {
    const [row, column] = [Math.floor(window / (columns / 2)), window % (columns / 2)];
    return (2 * row + (corner >> 1)) * columns + 2 * column + (corner & 1);
  });

/** Puts four corners, one behind the other, back in place. */
export function interleaving(geometry: Geometry): number[] {
  const order = corners.flatMap((corner) => cornerPixels(geometry, corner));
  const places: number[] = [];
  order.forEach((pixel, place) => (places[pixel] = place));
  return places;
}

export const corners = [0, 1, 2, 3] as const;
