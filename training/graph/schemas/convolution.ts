/** Shape rules of two-dimensional convolution and pooling over `[N, C, H, W]`. */
import type { Attributes, Inputs, OpType } from '../ops.ts';
import { type Dim, GraphError, type TensorType, type Value } from '../types.ts';
import { commonDType, expectDType, expectRank, expectShape, formatShape, known, type SchemaTable } from './schema.ts';

interface Window {
  readonly kernel_shape: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations?: readonly number[];
}

/** Requires two spatial axes, and a window that moves. */
function expectWindow({ kernel_shape, strides, pads, dilations = [1, 1] }: Window): void {
  const expectInts = (what: string, ints: readonly number[], length: number, min: number): void => {
    if (ints.length !== length || ints.some((int) => int < min))
      throw new GraphError(`expected ${what} of ${length} integers from ${min} on, got ${formatShape(ints)}`);
  };
  expectInts('kernel_shape', kernel_shape, 2, 1);
  expectInts('strides', strides, 2, 1);
  expectInts('pads', pads, 4, 0);
  expectInts('dilations', dilations, 2, 1);
}

/** Returns the extent, stride and padding of a window along one spatial axis. */
function axisOf({ kernel_shape, strides, pads, dilations }: Window, axis: number) {
  const rank = kernel_shape.length;
  const at = (list: readonly number[] | undefined, i: number, otherwise: number) => list?.[i] ?? otherwise;
  return {
    span: (at(kernel_shape, axis, 1) - 1) * at(dilations, axis, 1) + 1,
    stride: at(strides, axis, 1),
    padding: at(pads, axis, 0) + at(pads, axis + rank, 0),
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
    const size = (known('a spatial axis', dim) - 1) * stride + span - padding + (outputPadding[axis] ?? 0);
    if (size < 1) throw new GraphError(`expected pads that leave a pixel, got ${formatShape(window.pads)}`);
    return size;
  });
}

function inferConv([X, W, B]: Inputs<'Conv'>, attributes: Attributes<'Conv'>): readonly [TensorType] {
  expectWindow(attributes);
  expectRank('X', X, 4);
  const [N = 0, I, ...spatial] = X.shape;
  const O = W.shape[0] ?? 0;
  const perGroup = known('channels', I) / attributes.group;
  expectShape('W', W, [O, perGroup, ...attributes.kernel_shape]);
  if (B) expectShape('B', B, [O]);
  return [{ dtype: commonDType(B ? [X, W, B] : [X, W]), shape: [N, O, ...slide(spatial, attributes)] }];
}

/** Requires a float32 `[N, C, H, W]`, and returns its type. */
function imageType(X: Value): TensorType {
  expectRank('X', X, 4);
  expectDType('X', X, 'float32');
  return X;
}

export const convolution = {
  /** `X [N, I, H, W]`, `W [O, I / group, kH, kW]`, `B [O]` -> `[N, O, H', W']`. */
  Conv: { infer: inferConv },
  'com.microsoft.nchwc.Conv': {
    infer: ([X, W, B, Sum], attributes) => {
      const [Y] = inferConv(B ? [X, W, B] : [X, W], attributes);
      if (Sum) expectShape('Sum', Sum, Y.shape);
      return [Y];
    },
  },
  'com.microsoft.nchwc.ReorderInput': { infer: ([X]) => [imageType(X)] },
  'com.microsoft.nchwc.ReorderOutput': { infer: ([X]) => [imageType(X)] },
  /** `X [N, I, H, W]`, `W [I, O / group, kH, kW]` -> `[N, O, H', W']`: the transpose of Conv in X. */
  ConvTranspose: {
    infer: ([X, W, B], attributes) => {
      expectWindow(attributes);
      expectRank('X', X, 4);
      const [N = 0, I = 0, ...spatial] = X.shape;
      const perGroup = W.shape[1] ?? 0;
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
    infer: ([X], attributes) => {
      expectWindow(attributes);
      expectRank('X', X, 4);
      if (attributes.pads.some((pad) => pad !== 0))
        throw new GraphError(`expected pads of 0, got ${formatShape(attributes.pads)}`);
      const [N = 0, C = 0, ...spatial] = X.shape;
      return [{ dtype: X.dtype, shape: [N, C, ...slide(spatial, attributes)] }];
    },
  },
  /** `[N, C, H, W] -> [N, C, H', W']`; `Indices` counts through the whole flattened `X`. */
  MaxPool: {
    infer: ([X], attributes) => {
      expectWindow(attributes);
      expectRank('X', X, 4);
      const [N = 0, C = 0, ...spatial] = X.shape;
      const shape = [N, C, ...slide(spatial, attributes)];
      return [
        { dtype: X.dtype, shape },
        { dtype: 'int64', shape },
      ];
    },
  },
} satisfies Partial<SchemaTable<OpType>>;
