/**
 * The gradient of a convolution's filters as one product of matrices.
 *
 *     dW[o, i, k] = Σ over n, p of dY[n, o, p] · X[n, i, p · stride + k · dilation − pad]
 *
 * The rule writes this sum as a convolution whose kernel is as large as the image, for which no fast kernel exists:
 *
 *     Transpose(Slice(Conv(Transpose(X), Transpose(dY))))     becomes     columns(X) · dYᵀ
 *
 * It is a product of matrices once the pixels that each tap k multiplies lie side by side.
 *
 * Gain: without it a step of mnist-resnet takes 1.20 times as long (`npm run bench:lowering`).
 */
import { type Attributes, type GraphBuilder, knownSizes, sizesOf, type Value } from '../../graph/index.ts';
import { batchLast } from './batch-last.ts';
import { allPixels, type Geometry, transposedWeightGradient } from './columns.ts';
import { patterns } from '../pattern.ts';
import { replacing, type Rewriter, rule } from '../rewrite.ts';

const { Conv, Slice, Transpose } = patterns;

const swapped = { perm: [1, 0, 2, 3] };

/** Matches dW, where X is `[N, I, H, W]` and dY `[N, O, H', W']`. */
export const weightGradient = Transpose(
  Slice(
    Conv(Transpose('X', swapped), Transpose('dY', swapped), undefined, { group: 1 }).as('conv'),
    ...([[0, 0], '_', [2, 3], [1, 1]] as const),
  ),
  swapped,
);

interface WeightGradient {
  readonly X: Value;
  readonly dY: Value;
  readonly dW: Value;
  readonly attributes: Attributes<'Conv'>;
}

export const convWeightGradient = replacing(
  rule(weightGradient, (g, { X, dY, conv: { attributes } }, { outputs: [dW] }) =>
    emitProduct(g, { X, dY, dW, attributes }),
  ),
);

function emitProduct(g: Rewriter, match: WeightGradient): Value {
  const geometry = geometryOfForward(match);
  const dY = g.Reshape(batchLast(g, match.dY), g.ints([geometry.O, -1, geometry.N]));
  const product = transposedWeightGradient(g, geometry, batchLast(g, match.X), partsOf(g, geometry, dY));
  return g.Reshape(g.Transpose(product, { perm: [1, 0] }), g.ints(knownSizes(match.dW.shape)));
}

/**
 * The maximum number of elements of columns that are computed at once. They are several times as large as the input,
 * and more would leave the cache before they are multiplied.
 */
const maxElements = 2 ** 21;
const maxParts = 4;

/**
 * Cuts large columns into parts with some of the pixels each.
 *
 * @param dY `[O, pixels, N]`
 */
function partsOf(g: GraphBuilder, geometry: Geometry, dY: Value): (readonly [pixels: readonly number[], dY: Value])[] {
  const { N, I, O, kernel } = geometry;
  const pixels = allPixels(geometry);
  const isLarge = I * kernel[0] * kernel[1] * pixels.length * N > maxElements && pixels.length % maxParts === 0;
  const length = isLarge ? pixels.length / maxParts : pixels.length;
  return Array.from({ length: pixels.length / length }, (_, part) => {
    const [from, to] = [part * length, (part + 1) * length];
    const there = isLarge ? g.Slice(dY, g.ints([from]), g.ints([to]), g.ints([1]), g.ints([1])) : dY;
    return [pixels.slice(from, to), g.Reshape(there, g.ints([O, -1]))];
  });
}

/**
 * Returns the geometry of the convolution that is differentiated. In the rule's own convolution, strides and dilations
 * have changed places.
 */
function geometryOfForward({ X, dY, dW, attributes }: WeightGradient): Geometry {
  const [N, I, ...input] = sizesOf(X, 4);
  const [, O, ...output] = sizesOf(dY, 4);
  const [, , ...kernel] = sizesOf(dW, 4);
  const { strides: dilations, dilations: strides } = attributes;
  const forward = { ...attributes, kernel_shape: kernel, strides, dilations };
  return { N, I, O, input, output, kernel, attributes: forward };
}
