/**
 * The gradient of a convolution's filters as one product of matrices.
 *
 * The rule writes dW as a convolution whose kernel is as large as the image, for which no fast kernel exists. The same sum,
 *
 *     dW[o, i, k] = Σ over n, p of dY[n, o, p] · X[n, i, p · stride + k · dilation − pad]
 *
 * is a product of matrices once the pixels that each tap k multiplies lie side by side.
 */
import type { GraphBuilder, OpNode, Value } from '../../graph/index.ts';
import { batchLast } from './batch-last.ts';
import { allPixels, type Geometry, transposedWeightGradient } from './columns.ts';
import { permutes, producer, sizes, untransposed } from '../match.ts';
import { replacing } from '../rewrite.ts';

const swapFirstTwo = [1, 0, 2, 3];

type WeightGradient = NonNullable<ReturnType<typeof matchWeightGradient>>;

export const convWeightGradient = replacing({
  Transpose: (g, node) => {
    const match = matchWeightGradient(g, node);
    return match && [emitProduct(g, match)];
  },
});

/** Transpose(Slice(Conv(Transpose(X), Transpose(dY)))), which is dW; X is `[N, I, H, W]`, dY `[N, O, H', W']`. */
export function matchWeightGradient(g: GraphBuilder, node: OpNode<'Transpose'>) {
  if (!permutes(node, swapFirstTwo)) return undefined;
  const cut = producer(g, node.inputs[0], 'Slice');
  const conv = producer(g, cut?.inputs[0], 'Conv');
  const [X, dY] = [0, 1].map((i) => untransposed(g, conv?.inputs[i], swapFirstTwo));
  return conv && X && dY && { X, dY, attributes: conv.attributes, dW: node.outputs[0] };
}

function emitProduct(g: GraphBuilder, match: WeightGradient): Value {
  const geometry = geometryOfForward(match);
  const dY = g.Reshape(batchLast(g, match.dY), g.ints([geometry.O, -1, geometry.N]));
  const product = transposedWeightGradient(g, geometry, batchLast(g, match.X), partsOf(g, geometry, dY));
  return g.Reshape(g.Transpose(product, { perm: [1, 0] }), g.ints(sizes(match.dW)));
}

/** Columns of more elements, times as large as the input, would leave the cache before they are multiplied. */
const mostElements = 2 ** 21;
const mostParts = 4;

/** Some pixels after the other. @param dY `[O, pixels, N]` */
function partsOf(g: GraphBuilder, geometry: Geometry, dY: Value): (readonly [pixels: readonly number[], dY: Value])[] {
  const { N, I, O, kernel } = geometry;
  const pixels = allPixels(geometry);
  const isLarge = I * kernel[0] * kernel[1] * pixels.length * N > mostElements && pixels.length % mostParts === 0;
  const length = isLarge ? pixels.length / mostParts : pixels.length;
  return Array.from({ length: pixels.length / length }, (_, part) => {
    const [from, to] = [part * length, (part + 1) * length];
    const there = isLarge ? g.Slice(dY, g.ints([from]), g.ints([to]), g.ints([1]), g.ints([1])) : dY;
    return [pixels.slice(from, to), g.Reshape(there, g.ints([O, -1]))];
  });
}

/** Of the convolution whose gradient it is: in the rule's own, strides and dilations have changed places. */
function geometryOfForward({ X, dY, dW, attributes }: WeightGradient): Geometry {
  const [N = 0, I = 0, H = 0, W = 0] = sizes(X);
  const [, O = 0, rows = 0, columns = 0] = sizes(dY);
  const [, , kH = 0, kW = 0] = sizes(dW);
  const { strides: dilations, dilations: strides } = attributes;
  const forward = { ...attributes, kernel_shape: [kH, kW], strides, dilations };
  return { N, I, O, input: [H, W], output: [rows, columns], kernel: [kH, kW], attributes: forward };
}
