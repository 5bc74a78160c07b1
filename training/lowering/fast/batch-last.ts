/**
 * The other layout of a mini-batch: samples along the last axis instead of the first, `[F, N]` for `[N, ..]`.
 *
 * In this layout, ops that move pixels move runs of N numbers, a statistic of a channel is a sum along rows, and a
 * convolution runs over a single wide image.
 */
import { type GraphBuilder, known, type Value } from '../../graph/index.ts';
import { patterns } from '../pattern.ts';
import type { Rewriter } from '../rewrite.ts';

const swap = { perm: [1, 0] } as const;
const transposed = patterns.Transpose('matrix', swap);

/** Brings `[N, ..]` to `[F, N]`. A value that came from `[F, N]` goes back without a copy. */
export function batchLast(g: Rewriter, x: Value): Value {
  const source = beforeReshape(g, x);
  const matrix = transposed.match(g, source)?.matrix;
  return matrix ?? g.Transpose(g.Reshape(source, g.ints([known('the mini-batch', x.shape[0]), -1])), swap);
}

/** Brings `[F, N]` to `[N, ..]`. */
export const batchFirst = (g: GraphBuilder, x: Value, shape: readonly number[]): Value =>
  g.Reshape(g.Transpose(x, swap), g.ints(shape));

/** Returns the value that x is a reshaped view of, as long as the samples stay in their places. */
function beforeReshape(g: GraphBuilder, x: Value): Value {
  const node = g.producer(x);
  const source = node?.op === 'Reshape' || node?.op === 'Flatten' ? node.inputs[0] : undefined;
  return source && source.shape[0] === x.shape[0] ? beforeReshape(g, source) : x;
}
