/**
 * The other layout of a mini-batch: samples along the last axis in place of the first, `[F, N]` for `[N, ..]`.
 *
 * What moves pixels around then moves runs of N numbers, a statistic of a channel is a sum along rows, and a convolution is
 * one over a single wide image.
 */
import type { GraphBuilder, Value } from '../../graph/index.ts';
import { patterns } from '../pattern.ts';
import type { Rewriter } from '../rewrite.ts';

const swap = { perm: [1, 0] } as const;

/** `[N, ..] -> [F, N]`; what came from there goes back without a copy. */
export function batchLast(g: Rewriter, x: Value): Value {
  const source = beforeReshape(g, x);
  return transposedOf(g, x) ?? g.Transpose(g.Reshape(source, g.ints([Number(x.shape[0]), -1])), swap);
}

/** `[F, N] -> [N, ..]` */
export const batchFirst = (g: GraphBuilder, x: Value, shape: readonly number[]): Value =>
  g.Reshape(g.Transpose(x, swap), g.ints(shape));

const transposed = patterns.Transpose('matrix', swap);

/** The matrix `[F, N]` whose transpose `x [N, ..]` is, whatever the shape of a sample. */
const transposedOf = (g: Rewriter, x: Value): Value | undefined => transposed.match(g, beforeReshape(g, x))?.matrix;

/** x before its samples, all in their places, took another shape. */
function beforeReshape(g: GraphBuilder, x: Value): Value {
  const node = g.producer(x);
  const source = node?.op === 'Reshape' || node?.op === 'Flatten' ? node.inputs[0] : undefined;
  return source && source.shape[0] === x.shape[0] ? beforeReshape(g, source) : x;
}
