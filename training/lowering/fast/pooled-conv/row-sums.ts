/** Sums along the rows of `[C, pixels · N]`: over samples, then over pixels. Short sums lose less to rounding than a long one. */
import type { GraphBuilder, Value } from '../../../graph/index.ts';
import { sizes } from '../../value.ts';

/** Σ of each row, `[C, 1]`. */
export function rowSums(g: GraphBuilder, N: number, matrix: Value): Value {
  const [C = 0] = sizes(matrix);
  const perPixel = g.ReduceSum(g.Reshape(matrix, g.ints([C, -1, N])), g.ints([2]), { keepdims: 0 });
  return g.ReduceSum(perPixel, g.ints([1]), { keepdims: 1 });
}

/** The mean of each row, `[C, 1]`. */
export const rowMeans = (g: GraphBuilder, N: number, matrix: Value): Value =>
  g.Div(rowSums(g, N, matrix), g.scalar(sizes(matrix)[1] ?? 0));
