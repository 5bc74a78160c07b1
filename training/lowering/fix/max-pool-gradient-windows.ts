/**
 * The gradient of max pooling without indices, for windows of any kind, for a runtime that cannot scatter.
 *
 *     Reshape(ScatterElements(0, indices of the maxima, dY))     becomes
 *
 *     taps = Conv(X, one-hot)        first = 1[rank = max rank]  with  rank_k = 1[taps_k = Y] · (K − k)
 *     dX = ConvTranspose(dY · first, one-hot)
 *
 * A convolution with one-hot kernels lays the K elements of each window side by side. The transpose of that convolution
 * puts the gradient of each element back in its place, and adds up where windows overlap. The first of equal elements,
 * in row-major order, takes all. Padding is never the maximum.
 */
import { at } from '../../arrays/index.ts';
import {
  type Attributes,
  type GraphBuilder,
  known,
  knownSizes,
  type OpNode,
  sizesOf,
  type Value,
} from '../../graph/index.ts';
import { routingOf } from '../fast/max-pool-gradient.ts';
import { replacing, rule } from '../rewrite.ts';

export const maxPoolGradientWindows = replacing(rule(routingOf('_'), (g, { pool, dY }) => emitRouting(g, pool, dY)));

function emitRouting(g: GraphBuilder, { inputs: [X], outputs: [Y], attributes }: OpNode<'MaxPool'>, dY: Value): Value {
  const window = { ...attributes, dilations: [1, 1], group: 1 };
  const [N, C, ...image] = sizesOf(X, 4);
  const singly = (value: Value) => g.Reshape(value, g.ints([N * C, 1, ...knownSizes(value.shape.slice(2))]));
  const kernels = oneHotKernels(g, attributes.kernel_shape);

  const taps = g.Conv(singly(X), kernels, undefined, window);
  const equal = g.Cast(g.Equal(taps, singly(Y)), { to: X.dtype });
  const rank = g.Mul(equal, ranks(g, attributes, image, knownSizes(Y.shape.slice(2))));
  const largest = g.ReduceMax(rank, g.ints([1]), { keepdims: 1 });
  const first = g.Cast(g.Equal(rank, largest), { to: X.dtype });
  const routed = g.Mul(first, singly(dY));
  const output_padding = image.map((size, i) => size - reached(attributes, i, known('an axis', Y.shape[i + 2])));
  const dX = g.ConvTranspose(routed, kernels, undefined, { ...window, output_padding });
  return g.Reshape(dX, g.ints(knownSizes(X.shape)));
}

/** Returns how far along an axis the windows reach. */
function reached({ kernel_shape, strides, pads }: Attributes<'MaxPool'>, axis: number, windows: number): number {
  const padding = at(pads, axis) + at(pads, axis + 2);
  return (windows - 1) * at(strides, axis) + at(kernel_shape, axis) - padding;
}

/** Returns kernels `[K, 1, kH, kW]`: kernel k is one at tap k and zero elsewhere. */
function oneHotKernels(g: GraphBuilder, [kH = 1, kW = 1]: readonly number[]): Value {
  const taps = kH * kW;
  const data = Float32Array.from({ length: taps * taps }, (_, i) => (i % (taps + 1) === 0 ? 1 : 0));
  return g.initializer('one_hot', { dtype: 'float32', shape: [taps, 1, kH, kW], data });
}

/** Returns K − k for tap k, or 0 where it lies in the padding: `[K, H', W']`. */
function ranks(
  g: GraphBuilder,
  { kernel_shape: [kH = 1, kW = 1], strides: [down = 1, across = 1], pads: [top = 0, left = 0] }: Attributes<'MaxPool'>,
  [H = 0, W = 0]: readonly number[],
  [rows = 0, columns = 0]: readonly number[],
): Value {
  const taps = kH * kW;
  const inside = (pixel: number, size: number) => pixel >= 0 && pixel < size;
  const data = Float32Array.from({ length: taps * rows * columns }, (_, i) => {
    const [tap, row, column] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
    const y = row * down - top + Math.floor(tap / kW);
    const x = column * across - left + (tap % kW);
    return inside(y, H) && inside(x, W) ? taps - tap : 0;
  });
  return g.initializer('ranks', { dtype: 'float32', shape: [taps, rows, columns], data });
}
