/** Gradients of convolution and pooling over `[N, C, H, W]`. */
import { at, elementCount } from '../../arrays/index.ts';
import {
  type Attributes,
  type GraphBuilder,
  GraphError,
  known,
  knownSizes,
  type OpType,
  sizeOf,
  sizesOf,
  type Value,
} from '../../graph/index.ts';
import { notDifferentiable, type RuleTable } from '../rule.ts';

type ConvAttributes = Attributes<'Conv'>;

const lowered = notDifferentiable('a convolution is differentiated before its channels go into blocks');

const swapFirstTwo = { perm: [1, 0, 2, 3] };

/** Sums over samples, rows and columns: the gradient of a bias. */
const perChannelSum = (g: GraphBuilder, dY: Value): Value => g.ReduceSum(dY, g.ints([0, 2, 3]), { keepdims: 0 });

/**
 * Returns the numbers of rows and columns at the far edge that a strided convolution leaves unread; ConvTranspose must
 * add them again. `larger` is the side that the window slides over, `smaller` the result.
 */
function unread(
  larger: Value,
  smaller: Value,
  { kernel_shape, strides, dilations, pads }: ConvAttributes,
): readonly number[] {
  return kernel_shape.map((kernel, i) => {
    const span = (kernel - 1) * at(dilations, i) + 1;
    const padding = at(pads, i) + at(pads, i + 2);
    const read = (known('an axis', smaller.shape[i + 2]) - 1) * at(strides, i) + span - padding;
    return known('an axis', larger.shape[i + 2]) - read;
  });
}

/**
 * Returns the gradient of a convolution's weights, `[O, I / group, kH, kW]`:
 *
 * dW[o, i, k] = Σ over n, p of small[n, o, p] · large[n, i, p · stride + k · dilation − pad]
 *
 * This is itself a convolution: samples become channels, `small` becomes the kernel, strides and dilations swap. A
 * stride that leaves far pixels unread gives extra taps, which are cut off.
 */
function weightGradient(g: GraphBuilder, large: Value, small: Value, attributes: ConvAttributes): Value {
  const { kernel_shape, strides, dilations, pads, group } = attributes;
  const taps = g.Conv(samplesAsChannels(g, large, group), g.Transpose(small, swapFirstTwo), undefined, {
    kernel_shape: knownSizes(small.shape.slice(2)),
    strides: dilations,
    dilations: strides,
    pads,
    group,
  });
  const cut = g.Slice(taps, g.ints([0, 0]), g.ints(kernel_shape), g.ints([2, 3]), g.ints([1, 1]));
  return g.Transpose(cut, swapFirstTwo);
}

/** Swaps samples and channels within each group: `[N, group · I, H, W] -> [I, group · N, H, W]`. */
function samplesAsChannels(g: GraphBuilder, images: Value, group: number): Value {
  if (group === 1) return g.Transpose(images, swapFirstTwo);
  const [N, C, H, W] = sizesOf(images, 4);
  const I = C / group;
  const apart = g.Transpose(g.Reshape(images, g.ints([N, group, I, H, W])), { perm: [2, 1, 0, 3, 4] });
  return g.Reshape(apart, g.ints([I, group * N, H, W]));
}

export const convolution = {
  // Y[n, o, p] = B[o] + Σ over i, k of W[o, i, k] · X[n, i, p · stride + k · dilation − pad], so
  // dX[n, i, q] = Σ over o, k, p with p · stride + k · dilation − pad = q of W[o, i, k] · dY[n, o, p], and
  // dW[o, i, k] = Σ over n, p of dY[n, o, p] · X[n, i, p · stride + k · dilation − pad].
  Conv: (g, { inputs: [X, W, B], outputs: [Y], attributes }, [dY]) => [
    g.ConvTranspose(dY, W, undefined, { ...attributes, output_padding: unread(X, Y, attributes) }),
    weightGradient(g, X, dY, attributes),
    B ? perChannelSum(g, dY) : null,
  ],

  // ConvTranspose is the transpose of Conv in X, so its gradient is Conv, and X and dY swap in dW.
  ConvTranspose: (g, { inputs: [X, W, B], attributes: { output_padding: _, ...attributes } }, [dY]) => [
    g.Conv(dY, W, undefined, attributes),
    weightGradient(g, dY, X, attributes),
    B ? perChannelSum(g, dY) : null,
  ],

  // Y[p] = 1 / (kH kW) Σ over k of X[p · stride + k]: a convolution of each channel, whose gradient is its transpose.
  AveragePool: (g, { inputs: [X], outputs: [Y], attributes: window }, [dY]) => {
    const C = known('channels', X.shape[1]);
    const attributes = { ...window, dilations: [1, 1], group: C };
    const shape = [C, 1, ...window.kernel_shape];
    const mean = g.Expand(g.scalar(1 / elementCount(window.kernel_shape)), g.ints(shape));
    return [g.ConvTranspose(dY, mean, undefined, { ...attributes, output_padding: unread(X, Y, attributes) })];
  },

  // Y[p] = X[Indices[p]], so dX[q] = Σ over p with Indices[p] = q of dY[p]; overlapping windows add up.
  MaxPool: (g, { inputs: [X], outputs: [, Indices] }, [dY]) => {
    if (!dY) throw new GraphError('Indices are integers');
    const flat = g.ints([-1]);
    const zeros = g.Expand(g.scalar(0), g.ints([sizeOf(X.shape)]));
    const dX = g.ScatterElements(zeros, g.Reshape(Indices, flat), g.Reshape(dY, flat), { axis: 0, reduction: 'add' });
    return [g.Reshape(dX, g.ints(knownSizes(X.shape)))];
  },
  'com.microsoft.nchwc.ReorderInput': lowered,
  'com.microsoft.nchwc.ReorderOutput': lowered,
  'com.microsoft.nchwc.Conv': lowered,
} satisfies Partial<RuleTable<OpType>>;
