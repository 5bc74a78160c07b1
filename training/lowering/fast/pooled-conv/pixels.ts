/**
 * Images as matrices `[C, pixels · N]`: lists of pixels, as indices for Gather, that tell where 2 × 2 windows lie in
 * them, and sums along their rows. Pixels are in row-major order.
 */
import { type GraphBuilder, sizesOf, type Value } from '../../../graph/index.ts';
import type { Geometry } from '../columns.ts';
import { type Corners, mapCorners } from '../max-pool-gradient.ts';

/** Pairs what two windows have at the same corner. */
export const zipCorners = <A, B>(as: Corners<A>, bs: Corners<B>): Corners<readonly [A, B]> => [
  [as[0], bs[0]],
  [as[1], bs[1]],
  [as[2], bs[2]],
  [as[3], bs[3]],
];

/** Returns for each corner the output's pixels that are at this corner of their 2 × 2 window. */
export function cornerPixels({ output: [rows, columns] }: Geometry): Corners<readonly number[]> {
  const pixels = (corner: number) =>
    Array.from({ length: (rows * columns) / 4 }, (_, window) => {
      const [row, column] = [Math.floor(window / (columns / 2)), window % (columns / 2)];
      return (2 * row + (corner >> 1)) * columns + 2 * column + (corner & 1);
    });
  return mapCorners([0, 1, 2, 3], pixels);
}

/** Returns the indices that put four corners, one after the other, back in place. */
export function interleaving(corners: Corners<readonly number[]>): number[] {
  const places: number[] = [];
  corners.flat().forEach((pixel, place) => (places[pixel] = place));
  return places;
}

/**
 * Emits Σ of each row, `[C, 1]`: over samples, then over pixels, since short sums lose less to rounding than a long
 * one.
 */
export function rowSums(g: GraphBuilder, N: number, matrix: Value): Value {
  const [C] = sizesOf(matrix, 2);
  const perPixel = g.ReduceSum(g.Reshape(matrix, g.ints([C, -1, N])), g.ints([2]), { keepdims: 0 });
  return g.ReduceSum(perPixel, g.ints([1]), { keepdims: 1 });
}

/** Emits the mean of each row, `[C, 1]`. */
export const rowMeans = (g: GraphBuilder, N: number, matrix: Value): Value =>
  g.Div(rowSums(g, N, matrix), g.scalar(sizesOf(matrix, 2)[1]));
