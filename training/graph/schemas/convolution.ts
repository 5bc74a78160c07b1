/** Shape rules of two-dimensional convolution and pooling over `[N, C, H, W]`. */
import { at } from '../../arrays/index.ts';
import type { Attributes, Inputs, OpType } from '../ops.ts';
import { type Dim, GraphError, type TensorType, type Value } from '../types.ts';
import { commonDType, expectDType, expectRank, expectShape, formatShape, known, type SchemaTable } from './schema.ts';

interface Window {
  readonly kernel_shape: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations?: readonly number[];
}

function expectInts(what: string, ints: readonly number[], length: number, min: number): void {
  if (ints.length !== length || ints.some((int) => int < min))
    throw new GraphError(`expected ${what} of ${length} integers from ${min} on, got ${formatShape(ints)}`);
}

/** Requires two spatial axes, and a window that moves. */
function expectWindow({ kernel_shape, strides, pads, dilations = [1, 1] }: Window): void {
  expectInts('kernel_shape', kernel_shape, 2, 1);
  expectInts('strides', strides, 2, 1);
  expectInts('pads', pads, 4, 0);
  expectInts('dilations', dilations, 2, 1);
}

/** Returns the extent, stride and padding of a window along one spatial axis. */
function axisOf({ kernel_shape, strides, pads, dilations = [1, 1] }: Window, axis: number) {
  return {
    span: (at(kernel_shape, axis) - 1) * at(dilations, axis) + 1,
    stride: at(strides, axis),
    padding: at(pads, axis) + at(pads, axis + 2),
  };
}

/** out = ⌊(in + padding − span) / stride⌋ + 1 */
function slide(dims: readonly Dim[], window: Window): readonly number[] {
  return dims.map((dim, axis) => {
    const { span, stride, padding } = axisOf(window, axis);
    const size = Math.floor((known('a spatial axis', dim) + padding - span) / stride) + 1;
    if (size < 1)
      throw new GraphError(`expected an image of at least ${span - padding} pixels, got ${formatShape(dims)}`);
    return size;
  });
}

/** out = (in − 1) · stride + span − padding + output_padding */
function unslide(dims: readonly Dim[], window: Window, outputPadding: readonly number[]): readonly number[] {
  return dims.map((dim, axis) => {
    const { span, stride, padding } = axisOf(window, axis);
    const size = (known('a spatial axis', dim) - 1) * stride + span - padding + at(outputPadding, axis);
    if (size < 1) throw new GraphError(`expected pads that leave a pixel, got ${formatShape(window.pads)}`);
    return size;
  });
}

/** Returns the axes of an image `[N, C, H, W]`; throws for another rank. */
function axesOf(X: Value): { readonly N: Dim; readonly C: Dim; readonly spatial: readonly Dim[] } {
  expectRank('X', X, 4);
  return { N: at(X.shape, 0), C: at(X.shape, 1), spatial: X.shape.slice(2) };
}

/** Throws unless the groups divide these channels. */
function expectGroups(group: number, channels: Dim): void {
  if (group === 1) return;
  if (!(group > 1) || known('channels', channels) % group !== 0)
    throw new GraphError(`expected a group that divides ${channels} channels, got ${group}`);
}

function inferConv([X, W, B]: Inputs<'Conv'>, attributes: Attributes<'Conv'>): readonly [TensorType] {
  expectWindow(attributes);
  const { N, C: I, spatial } = axesOf(X);
  expectRank('W', W, 4);
  const O = at(W.shape, 0);
  for (const channels of [I, O]) expectGroups(attributes.group, channels);
  const perGroup = known('channels', I) / attributes.group;
  expectShape('W', W, [O, perGroup, ...attributes.kernel_shape]);
  if (B) expectShape('B', B, [O]);
  return [{ dtype: commonDType(B ? [X, W, B] : [X, W]), shape: [N, O, ...slide(spatial, attributes)] }];
}

/** The specification's defaults of a window's attributes, and of those that only convolutions have. */
const window = { kernel_shape: 'required', strides: [1, 1], pads: [0, 0, 0, 0] } as const;
const convolutional = { dilations: [1, 1], group: 1 } as const;

/** Requires a float32 `[N, C, H, W]`, and returns its type. */
function imageType(X: Value): TensorType {
  expectRank('X', X, 4);
  expectDType('X', X, 'float32');
  return X;
}

export const convolution = {
  /** `X [N, I, H, W]`, `W [O, I / group, kH, kW]`, `B [O]` -> `[N, O, H', W']`. */
  Conv: { inputs: [2, 3], attributes: { ...window, ...convolutional }, infer: inferConv },
  'com.microsoft.nchwc.Conv': {
    inputs: [2, 4],
    attributes: { ...window, ...convolutional, activation: 'optional', activation_params: 'optional' },
    infer: ([X, W, B, Sum], attributes) => {
      const [Y] = inferConv(B ? [X, W, B] : [X, W], attributes);
      if (Sum) expectShape('Sum', Sum, Y.shape);
      return [Y];
    },
  },
  'com.microsoft.nchwc.ReorderInput': { inputs: [1, 1], attributes: {}, infer: ([X]) => [imageType(X)] },
  'com.microsoft.nchwc.ReorderOutput': {
    inputs: [1, 1],
    attributes: { channels: 'required' },
    infer: ([X]) => [imageType(X)],
  },
  /** `X [N, I, H, W]`, `W [I, O / group, kH, kW]` -> `[N, O, H', W']`: the transpose of Conv in X. */
  ConvTranspose: {
    inputs: [2, 3],
    attributes: { ...window, ...convolutional, output_padding: [0, 0] },
    infer: ([X, W, B], attributes) => {
      expectWindow(attributes);
      expectInts('output_padding', attributes.output_padding, 2, 0);
      const { N, C: I, spatial } = axesOf(X);
      expectRank('W', W, 4);
      expectGroups(attributes.group, I);
      const perGroup = at(W.shape, 1);
      expectShape('W', W, [I, perGroup, ...attributes.kernel_shape]);
      const O = known('channels', perGroup) * attributes.group;
      if (B) expectShape('B', B, [O]);
      const shape = [N, O, ...unslide(spatial, attributes, attributes.output_padding)];
      return [{ dtype: commonDType(B ? [X, W, B] : [X, W]), shape }];
    },
  },
  /**
   * `[N, C, H, W] -> [N, C, H', W']`, the mean of each window. Padding is refused, since ONNX does not count it in the
   * mean.
   */
  AveragePool: {
    inputs: [1, 1],
    attributes: window,
    infer: ([X], attributes) => {
      expectWindow(attributes);
      const { N, C, spatial } = axesOf(X);
      if (attributes.pads.some((pad) => pad !== 0))
        throw new GraphError(`expected pads of 0, got ${formatShape(attributes.pads)}`);
      return [{ dtype: X.dtype, shape: [N, C, ...slide(spatial, attributes)] }];
    },
  },
  /** `[N, C, H, W] -> [N, C, H', W']`; `Indices` counts through the whole flattened `X`. */
  MaxPool: {
    inputs: [1, 1],
    attributes: window,
    infer: ([X], attributes) => {
      expectWindow(attributes);
      const { N, C, spatial } = axesOf(X);
      const shape = [N, C, ...slide(spatial, attributes)];
      return [
        { dtype: X.dtype, shape },
        { dtype: 'int64', shape },
      ];
    },
  },
} satisfies Partial<SchemaTable<OpType>>;
