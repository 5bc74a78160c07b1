/**
 * Convolutions with channels in blocks as wide as the processor's vectors.
 *
 *     Y = Conv(X, W, B)     becomes     Y = ReorderOutput(nchwc.Conv(ReorderInput(X), blocked W, B))
 *
 * ONNX Runtime brings graphs for inference into this form by itself, since their filters are constant. In training
 * filters change at every step, so that the graph has to bring them into the kernel's order, `[O / b, I / b, kH, kW, b
 * of I, b of O]`.
 *
 * Gain: without it a step of mnist-resnet takes 1.22 times as long, one of mnist-cnn at batch 256 1.10 times (`npm run
 * bench:lowering`).
 *
 * Source: Georganas et al., Anatomy of High-Performance Deep Learning Convolutions on SIMD Architectures, 2018,
 * https://arxiv.org/abs/1808.05567
 */
import { type GraphBuilder, known, type OpNode, sizesOf, type Value } from '../../graph/index.ts';
import { type Pass, replacing } from '../rewrite.ts';

/** @param b the processor's block of channels */
export const blockedConv = (b: number): Pass =>
  replacing({ Conv: (g, node) => (fillsBlocks(node, b) ? [emitBlocked(g, node, b)] : undefined) });

/** Is true for a convolution of one group with whole blocks of channels on both sides. */
function fillsBlocks({ inputs: [, W], attributes: { group } }: OpNode<'Conv'>, b: number): boolean {
  return group === 1 && W.shape.slice(0, 2).every((dim) => typeof dim === 'number' && dim % b === 0);
}

function emitBlocked(g: GraphBuilder, { inputs: [X, W, B], attributes }: OpNode<'Conv'>, b: number): Value {
  const image = g['com.microsoft.nchwc.ReorderInput'](X);
  const Y = g['com.microsoft.nchwc.Conv'](image, blockedFilters(g, W, b), B, undefined, attributes);
  return g['com.microsoft.nchwc.ReorderOutput'](Y, { channels: known('the channels', W.shape[0]) });
}

/** Brings the elements into the kernel's order, under the shape that the kernel expects. */
function blockedFilters(g: GraphBuilder, W: Value, b: number): Value {
  const [O, I, kH, kW] = sizesOf(W, 4);
  const split = g.Reshape(W, g.ints([O / b, b, I / b, b, kH, kW]));
  return g.Reshape(g.Transpose(split, { perm: [0, 2, 4, 5, 3, 1] }), g.ints([O, I, kH, kW]));
}
