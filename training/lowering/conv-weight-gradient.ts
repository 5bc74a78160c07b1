/**
 * The gradient of a convolution's weights as one matrix product.
 *
 * The rule writes dW as a convolution whose kernel is as large as the image, for which no fast kernel exists. The same sum,
 *
 *     dW[o, i, k] = Σ over n, p of dY[n, o, p] · X[n, i, p · stride + k · dilation − pad]
 *
 * is a product of matrices once the shifted copies of X, one for each tap k, are laid side by side ("im2col"):
 *
 *     columns [K · I, N · P]  ·  dYᵀ [N · P, O]  =  dWᵀ [K · I, O]
 *
 * Source: Chellapilla et al., High Performance Convolutional Neural Networks for Document Processing, 2006
 */
import type { GraphBuilder, Node, OpNode, Value } from '../graph/index.ts';
import { isTranspose, producer, sizes } from './match.ts';
import { type Pass, rewrite } from './rewrite.ts';

const swapFirstTwo = [1, 0, 2, 3];

export const convWeightGradient: Pass = (graph) =>
  rewrite(graph, (g, node) => {
    const match = matchWeightGradient(g, node);
    if (!match) return undefined;
    const { conv, image, kernel, dW } = match;
    return [emitProduct(g, conv, image.outputs[0], kernel.outputs[0], sizes(dW))];
  });

/** Transpose(Slice(Conv(Transpose(X), Transpose(dY)))), which is dW */
export function matchWeightGradient(g: GraphBuilder, node: Node | OpNode<'Transpose'>) {
  if (!isTranspose(node, swapFirstTwo)) return undefined;
  const cut = producer(g, node.inputs[0], 'Slice');
  const conv = producer(g, cut?.inputs[0], 'Conv');
  const [image, kernel] = [producer(g, conv?.inputs[0], 'Transpose'), producer(g, conv?.inputs[1], 'Transpose')];
  if (!conv || !isTranspose(image, swapFirstTwo) || !isTranspose(kernel, swapFirstTwo)) return undefined;
  return { conv, image, kernel, dW: node.outputs[0] };
}

/**
 * @param X with samples and channels exchanged, `[I, N, H, W]`
 * @param dY likewise, `[O, N, H', W']`
 */
function emitProduct(
  g: GraphBuilder,
  conv: OpNode<'Conv'>,
  X: Value,
  dY: Value,
  [O = 0, I = 0, ...taps]: readonly number[],
): Value {
  const columns = g.Concat(...shiftedCopies(g, conv, X, dY, taps), { axis: 0 });
  const [matrix, gradient] = [columns, dY].map((value) => g.Reshape(value, g.ints([Number(value.shape[0]), -1])));
  if (!matrix || !gradient) throw new Error('internal: two matrices were made');
  const product = g.Gemm(matrix, gradient, undefined, { transB: 1 });
  return g.Transpose(g.Reshape(product, g.ints([...taps, I, O])), { perm: [3, 2, 0, 1] });
}

/** For each tap what it multiplies: the padded image from the tap's place on, in steps of the stride. */
function shiftedCopies(
  g: GraphBuilder,
  { attributes }: OpNode<'Conv'>,
  X: Value,
  dY: Value,
  [kH = 0, kW = 0]: readonly number[],
): Value[] {
  // In the rule's convolution strides and dilations have changed places.
  const { strides: dilations, dilations: strides, pads } = attributes;
  const [top = 0, left = 0, bottom = 0, right = 0] = pads;
  const padded = g.Pad(X, g.ints([0, 0, top, left, 0, 0, bottom, right]), { mode: 'constant' });
  const extent = sizes(dY)
    .slice(2)
    .map((size, axis) => (size - 1) * (strides[axis] ?? 1) + 1);
  return Array.from({ length: kH * kW }, (_, k) => {
    const start = [Math.floor(k / kW) * (dilations[0] ?? 1), (k % kW) * (dilations[1] ?? 1)];
    const end = start.map((from, axis) => from + (extent[axis] ?? 0));
    return g.Slice(padded, g.ints(start), g.ints(end), g.ints([2, 3]), g.ints(strides));
  });
}
