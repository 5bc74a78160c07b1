/** The builder infers types as nodes are added, and refuses what does not fit. */
import { describe, expect, test } from 'vitest';
import {
  type DType,
  type GraphBuilder,
  graphBuilder,
  GraphError,
  type Shape,
  type Value,
} from '../../../training/graph/index.ts';
import { float, typed } from '../../reference/inputs.ts';

const pool = { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] } as const;
const conv = { ...pool, dilations: [1, 1], group: 1 } as const;
const norm = { epsilon: 1e-5, momentum: 0.9, training_mode: 1 } as const;

describe('a misfit is reported where it is written', () => {
  const misfits: readonly (readonly [about: string, emit: (g: GraphBuilder) => unknown, message: string])[] = [
    // Elementwise.
    [
      'shapes that do not broadcast',
      (g) => g.Add(float(g, 'a', 2, 3), float(g, 'b', 2)),
      'Add: expected shapes that broadcast, got [2, 3] and [2]',
    ],
    [
      'two symbolic sizes',
      (g) => g.Mul(float(g, 'a', 'N'), float(g, 'b', 'M')),
      'Mul: expected shapes that broadcast, got [N] and [M]',
    ],
    [
      'two element types',
      (g) => g.Sub(float(g, 'a', 2), typed(g, 'b', 'int64', 2)),
      'Sub: expected every input of type float32, got int64[2]',
    ],
    [
      'a condition of floats',
      (g) => g.Where(float(g, 'c', 2), float(g, 'a', 2), float(g, 'b', 2)),
      'Where: expected condition of type bool, got float32[2]',
    ],
    [
      'branches of two types',
      (g) => g.Where(typed(g, 'c', 'bool', 2), float(g, 'a', 2), typed(g, 'b', 'int32', 2)),
      'Where: expected every input of type float32, got int32[2]',
    ],
    [
      'a minimum that is no scalar',
      (g) => g.Clip(float(g, 'x', 2), float(g, 'min', 1), float(g, 'max')),
      'Clip: expected min of shape [], got float32[1]',
    ],
    [
      'a maximum that is no scalar',
      (g) => g.Clip(float(g, 'x', 2), float(g, 'min'), float(g, 'max', 2)),
      'Clip: expected max of shape [], got float32[2]',
    ],
    // Reduction.
    [
      'an axis beyond the rank',
      (g) => g.ReduceSum(float(g, 'a', 2, 3), g.ints([2]), { keepdims: 0 }),
      'ReduceSum: expected an axis in [-2, 1], got 2',
    ],
    [
      'axes that are no initializer',
      (g) => g.ReduceMean(float(g, 'a', 2), typed(g, 'axes', 'int64', 1), { keepdims: 0 }),
      'ReduceMean: expected axes to be an int64 initializer, got axes int64[1]',
    ],
    [
      'no axes, which ONNX takes for all',
      (g) => g.ReduceSum(float(g, 'a', 2), g.ints([]), { keepdims: 0 }),
      'ReduceSum: expected at least one axis',
    ],
    [
      'an axis before the first',
      (g) => g.ArgMax(float(g, 'a', 2), { axis: -2, keepdims: 0 }),
      'ArgMax: expected an axis in [-1, 0], got -2',
    ],
    // Linear algebra.
    [
      'inner sizes that differ',
      (g) => g.MatMul(float(g, 'a', 2, 3), float(g, 'b', 4, 5)),
      'MatMul: expected matrices [.., M, K] and [.., K, N], got [2, 3] and [4, 5]',
    ],
    [
      'a vector',
      (g) => g.MatMul(float(g, 'a', 3), float(g, 'b', 3, 5)),
      'MatMul: expected matrices [.., M, K] and [.., K, N], got [3] and [3, 5]',
    ],
    [
      'stacks that do not broadcast',
      (g) => g.MatMul(float(g, 'a', 2, 1, 3), float(g, 'b', 3, 3, 1)),
      'MatMul: expected shapes that broadcast, got [2] and [3]',
    ],
    [
      'a stack in Gemm',
      (g) => g.Gemm(float(g, 'a', 1, 2, 3), float(g, 'b', 3, 4)),
      'Gemm: expected A of rank 2, got float32[1, 2, 3]',
    ],
    [
      'a stack as the second matrix of Gemm',
      (g) => g.Gemm(float(g, 'a', 2, 3), float(g, 'b', 1, 3, 4)),
      'Gemm: expected B of rank 2, got float32[1, 3, 4]',
    ],
    [
      'a kernel of one axis',
      (g) => g.Conv(float(g, 'x', 1, 3, 4, 4), float(g, 'w', 2), undefined, conv),
      'Conv: expected W of rank 4, got float32[2]',
    ],
    [
      'a transpose that does not fit',
      (g) => g.Gemm(float(g, 'a', 2, 3), float(g, 'b', 3, 4), undefined, { transB: 1 }),
      'Gemm: expected matrices [.., M, K] and [.., K, N], got [2, 3] and [4, 3]',
    ],
    [
      'a C larger than the product',
      (g) => g.Gemm(float(g, 'a', 1, 3), float(g, 'b', 3, 4), float(g, 'c', 2, 4)),
      'Gemm: expected C to broadcast to [1, 4], got [2, 4]',
    ],
    // Convolution and pooling.
    [
      'an image without channels',
      (g) => g.Conv(float(g, 'x', 1, 4, 4), float(g, 'w', 1, 1, 2, 2), undefined, conv),
      'Conv: expected X of rank 4, got float32[1, 4, 4]',
    ],
    [
      'a kernel for other channels',
      (g) => g.Conv(float(g, 'x', 1, 3, 4, 4), float(g, 'w', 8, 2, 2, 2), undefined, conv),
      'Conv: expected W of shape [8, 3, 2, 2], got float32[8, 2, 2, 2]',
    ],
    [
      'a bias of another length',
      (g) => g.Conv(float(g, 'x', 1, 3, 4, 4), float(g, 'w', 8, 3, 2, 2), float(g, 'b', 4), conv),
      'Conv: expected B of shape [8], got float32[4]',
    ],
    [
      'an image smaller than the window',
      (g) => g.Conv(float(g, 'x', 1, 3, 1, 4), float(g, 'w', 8, 3, 2, 2), undefined, conv),
      'Conv: expected an image of at least 2 pixels, got [1, 4]',
    ],
    [
      'an image of unknown size',
      (g) => g.MaxPool(float(g, 'x', 1, 3, 'H', 4), pool),
      'MaxPool: expected a spatial axis to be a known size, got H',
    ],
    [
      'a window that does not move',
      (g) => g.MaxPool(float(g, 'x', 1, 3, 4, 4), { ...pool, strides: [0, 1] }),
      'MaxPool: expected strides of 2 integers from 1 on, got [0, 1]',
    ],
    [
      'padding of two sides',
      (g) => g.MaxPool(float(g, 'x', 1, 3, 4, 4), { ...pool, pads: [1, 1] }),
      'MaxPool: expected pads of 4 integers from 0 on, got [1, 1]',
    ],
    [
      'a transposed kernel for other channels',
      (g) =>
        g.ConvTranspose(float(g, 'x', 1, 3, 4, 4), float(g, 'w', 2, 3, 2, 2), undefined, {
          ...conv,
          output_padding: [0, 0],
        }),
      'ConvTranspose: expected W of shape [3, 3, 2, 2], got float32[2, 3, 2, 2]',
    ],
    [
      'a transposed kernel of one axis',
      (g) =>
        g.ConvTranspose(float(g, 'x', 1, 3, 4, 4), float(g, 'w', 2), undefined, { ...conv, output_padding: [0, 0] }),
      'ConvTranspose: expected W of rank 4, got float32[2]',
    ],
    [
      'an output padding that cuts off',
      (g) =>
        g.ConvTranspose(float(g, 'x', 1, 3, 4, 4), float(g, 'w', 3, 2, 2, 2), undefined, {
          ...conv,
          output_padding: [0, -1],
        }),
      'ConvTranspose: expected output_padding of 2 integers from 0 on, got [0, -1]',
    ],
    [
      'a transposed bias of another length',
      (g) =>
        g.ConvTranspose(float(g, 'x', 1, 3, 4, 4), float(g, 'w', 3, 2, 2, 2), float(g, 'b', 3), {
          ...conv,
          output_padding: [0, 0],
        }),
      'ConvTranspose: expected B of shape [2], got float32[3]',
    ],
    [
      'groups that do not divide the channels of the input',
      (g) =>
        g.ConvTranspose(float(g, 'x', 1, 2, 3, 3), float(g, 'w', 2, 1, 2, 2), undefined, {
          ...conv,
          group: 100,
          output_padding: [0, 0],
        }),
      'ConvTranspose: expected a group that divides 2 channels, got 100',
    ],
    [
      'groups that do not divide the channels of the output',
      (g) => g.Conv(float(g, 'x', 1, 2, 4, 4), float(g, 'w', 3, 1, 2, 2), undefined, { ...conv, group: 2 }),
      'Conv: expected a group that divides 3 channels, got 2',
    ],
    // Movement.
    ['nothing to concatenate', (g) => g.Concat({ axis: 0 }), 'Concat: expected at least one input'],
    [
      'sizes that differ elsewhere',
      (g) => g.Concat(float(g, 'a', 2, 3), float(g, 'b', 2, 4), { axis: 0 }),
      'Concat: expected shapes equal but for axis 0, got [2, 3] and [2, 4]',
    ],
    [
      'an expansion that does not fit',
      (g) => g.Expand(float(g, 'a', 2), g.ints([3])),
      'Expand: expected shapes that broadcast, got [2] and [3]',
    ],
    [
      'a product of symbols',
      (g) => g.Flatten(float(g, 'a', 2, 'H', 4), { axis: 1 }),
      'Flatten: expected a dimension of [H, 4] to be a known size, got H',
    ],
    [
      'indices of floats',
      (g) => g.Gather(float(g, 'a', 2), float(g, 'i', 2), { axis: 0 }),
      'Gather: expected indices of type int32 or int64, got float32[2]',
    ],
    [
      'pads of another rank',
      (g) => g.Pad(float(g, 'a', 2, 2), g.ints([1, 1]), { mode: 'constant' }),
      'Pad: expected pads of shape [4], got int64[2]',
    ],
    [
      'a pad that cuts off',
      (g) => g.Pad(float(g, 'a', 2), g.ints([0, -1]), { mode: 'constant' }),
      'Pad: expected pads of 0 or more, got [0, -1]',
    ],
    [
      'another number of elements',
      (g) => g.Reshape(float(g, 'a', 2, 3), g.ints([4])),
      'Reshape: expected as many elements as [2, 3], got [4]',
    ],
    [
      'a rest that is no whole number',
      (g) => g.Reshape(float(g, 'a', 5), g.ints([-1, 2])),
      'Reshape: expected as many elements as [5], got [2.5, 2]',
    ],
    [
      'a symbol that is lost',
      (g) => g.Reshape(float(g, 'a', 'N', 3), g.ints([3])),
      'Reshape: expected as many elements as [N, 3], got [3]',
    ],
    [
      'updates of another shape',
      (g) =>
        g.ScatterElements(float(g, 'a', 4), typed(g, 'i', 'int64', 2), float(g, 'u', 3), { axis: 0, reduction: 'add' }),
      'ScatterElements: expected updates of shape [2], got float32[3]',
    ],
    [
      'indices of another rank',
      (g) =>
        g.ScatterElements(float(g, 'a', 4, 1), typed(g, 'i', 'int64', 2), float(g, 'u', 2), {
          axis: 0,
          reduction: 'add',
        }),
      'ScatterElements: expected indices of rank 2, got int64[2]',
    ],
    [
      'a step of zero',
      (g) => g.Slice(float(g, 'a', 4), g.ints([0]), g.ints([4]), g.ints([0]), g.ints([0])),
      'Slice: expected steps of 1 or more, got [0]',
    ],
    [
      'a step of zero beside one of 1',
      (g) => g.Slice(float(g, 'a', 4, 4), g.ints([0, 0]), g.ints([4, 4]), g.ints([0, 1]), g.ints([1, 0])),
      'Slice: expected steps of 1 or more, got [1, 0]',
    ],
    [
      'a slice with more starts than axes',
      (g) => g.Slice(float(g, 'a', 4), g.ints([0, 0]), g.ints([4]), g.ints([0]), g.ints([1])),
      'Slice: expected a start, an end and a step for each of the axes [0]',
    ],
    [
      'a mean with padding on one side',
      (g) => g.AveragePool(float(g, 'x', 1, 1, 4, 4), { ...pool, pads: [0, 0, 1, 0] }),
      'AveragePool: expected pads of 0, got [0, 0, 1, 0]',
    ],
    [
      'a reordered image of integers',
      (g) => g['com.microsoft.nchwc.ReorderInput'](typed(g, 'x', 'int32', 1, 8, 2, 2)),
      'com.microsoft.nchwc.ReorderInput: expected X of type float32, got int32[1, 8, 2, 2]',
    ],
    [
      'a reordered row',
      (g) => g['com.microsoft.nchwc.ReorderInput'](float(g, 'x', 1, 8, 2)),
      'com.microsoft.nchwc.ReorderInput: expected X of rank 4, got float32[1, 8, 2]',
    ],
    [
      'dilations of nothing',
      (g) => g.Conv(float(g, 'x', 1, 3, 4, 4), float(g, 'w', 8, 3, 2, 2), undefined, { ...conv, dilations: [0, 1] }),
      'Conv: expected dilations of 2 integers from 1 on, got [0, 1]',
    ],
    [
      'scatter indices of floats',
      (g) => g.ScatterElements(float(g, 'a', 4), float(g, 'i', 2), float(g, 'u', 2), { axis: 0, reduction: 'add' }),
      'ScatterElements: expected indices of type int32 or int64, got float32[2]',
    ],
    [
      'a matrix without a stack in FusedMatMul',
      (g) => g['com.microsoft.FusedMatMul'](float(g, 'a', 2, 3), float(g, 'b', 1, 3, 4), {}),
      'com.microsoft.FusedMatMul: expected A of rank 3, got float32[2, 3]',
    ],
    [
      'a matrix without a stack as the second one of FusedMatMul',
      (g) => g['com.microsoft.FusedMatMul'](float(g, 'a', 1, 2, 3), float(g, 'b', 3, 4), {}),
      'com.microsoft.FusedMatMul: expected B of rank 3, got float32[3, 4]',
    ],
    [
      'updates that replace',
      (g) => g.ScatterElements(...scattered(g), { axis: 0, reduction: 'none' as 'add' }),
      'ScatterElements: expected reduction add, got none',
    ],
    [
      'updates along an axis beyond the rank',
      (g) => g.ScatterElements(...scattered(g), { axis: 1, reduction: 'add' }),
      'ScatterElements: expected an axis in [-1, 0], got 1',
    ],
    [
      'a slice of a symbolic axis',
      (g) => g.Slice(float(g, 'a', 'N'), g.ints([0]), g.ints([4]), g.ints([0]), g.ints([1])),
      'Slice: expected a sliced axis to be a known size, got N',
    ],
    [
      'a perm that repeats an axis',
      (g) => g.Transpose(float(g, 'a', 2, 3), { perm: [0, 0] }),
      'Transpose: expected perm to order the axes of [2, 3], got [0, 0]',
    ],
    // Normalization and classification.
    [
      'Batch Norm without a channel axis',
      (g) =>
        g.BatchNormalization(
          float(g, 'x', 4),
          float(g, 's', 4),
          float(g, 'b', 4),
          float(g, 'm', 4),
          float(g, 'v', 4),
          norm,
        ),
      'BatchNormalization: expected X of shape [N, C, ..], got float32[4]',
    ],
    [
      'statistics of other channels',
      (g) =>
        g.BatchNormalization(
          float(g, 'x', 4, 3),
          float(g, 's', 3),
          float(g, 'b', 3),
          float(g, 'm', 4),
          float(g, 'v', 3),
          norm,
        ),
      'BatchNormalization: expected m of shape [3], got float32[4]',
    ],
    [
      'labels of floats',
      (g) => g.SoftmaxCrossEntropyLoss(float(g, 's', 2, 3), float(g, 'l', 2), { reduction: 'mean' }),
      'SoftmaxCrossEntropyLoss: expected labels of type int32 or int64, got float32[2]',
    ],
    [
      'labels of other samples',
      (g) => g.SoftmaxCrossEntropyLoss(float(g, 's', 2, 3), typed(g, 'l', 'int64', 3), { reduction: 'mean' }),
      'SoftmaxCrossEntropyLoss: expected labels of shape [2], got int64[3]',
    ],
    [
      'a loss for each sample',
      (g) => g.SoftmaxCrossEntropyLoss(float(g, 's', 2, 3), typed(g, 'l', 'int64', 2), { reduction: 'none' as 'sum' }),
      'SoftmaxCrossEntropyLoss: expected reduction mean or sum, got none',
    ],
    [
      'scores of pixels',
      (g) => g.SoftmaxCrossEntropyLoss(float(g, 's', 2, 3, 4), typed(g, 'l', 'int64', 2), { reduction: 'mean' }),
      'SoftmaxCrossEntropyLoss: expected scores of rank 2, got float32[2, 3, 4]',
    ],
    // Control flow.
    ['a Loop with a count of int32', (g) => loop(g, { count: 'int32' }), 'Loop: expected M of type int64, got int32[]'],
    [
      'a Loop with a condition of floats',
      (g) => loop(g, { condition: 'float32' }),
      'Loop: expected cond of type bool, got float32[]',
    ],
    [
      'a body whose state changes its shape',
      (g) => loop(g, { next: (b, state) => b.Concat(state, state, { axis: 0 }) }),
      'Loop: expected next of shape [2], got float32[4]',
    ],
    [
      'a body whose state changes its type',
      (g) => loop(g, { next: (b, state) => b.Cast(state, { to: 'int32' }) }),
      'Loop: expected next of type float32, got int32[2]',
    ],
    [
      'a body into which a state of another shape goes',
      (g) => loop(g, { enters: 3, next: (b) => b.initializer('zeros', zeros) }),
      'Loop: expected state of shape [2], got float32[3]',
    ],
    [
      'a body that returns no state',
      (g) => loop(g, { returns: false }),
      'Loop: expected a body that carries 1 values, got 1',
    ],
    [
      'a body with an input too many',
      (g) => loop(g, { more: true }),
      'Loop: expected a body that carries 1 values, got 2',
    ],
    [
      'a body that carries nothing',
      (g) =>
        g.Loop(typed(g, 'M', 'int64'), typed(g, 'go', 'bool'), float(g, 'x', 2), {
          body: graphBuilder().build('empty', {}),
        }),
      'Loop: expected a body that carries 1 values, got -2',
    ],
  ];

  test.each(misfits)('%s', (_, emit, message) => {
    expect(() => emit(graphBuilder())).toThrow(new GraphError(message));
  });

  test('with the scope in front', () => {
    const g = graphBuilder();
    const emit = () => g.scoped('fc1', () => g.Add(float(g, 'a', 2), float(g, 'b', 3)));
    expect(emit).toThrow(new GraphError('fc1/Add: expected shapes that broadcast, got [2] and [3]'));
  });
});

describe('inference keeps symbolic sizes', () => {
  const shapes: readonly (readonly [about: string, emit: (g: GraphBuilder) => Value, shape: Shape])[] = [
    ['broadcasting with one', (g) => g.Add(float(g, 'a', 'N', 1), float(g, 'b', 3)), ['N', 3]],
    ['broadcasting with itself', (g) => g.Add(float(g, 'a', 'N', 3), float(g, 'b', 'N', 1)), ['N', 3]],
    ['a matrix product', (g) => g.Gemm(float(g, 'a', 'N', 3), float(g, 'b', 3, 4)), ['N', 4]],
    [
      'a convolution',
      (g) => g.Conv(float(g, 'x', 'N', 1, 4, 4), float(g, 'w', 2, 1, 2, 2), undefined, conv),
      ['N', 2, 2, 2],
    ],
    ['flattening the rest', (g) => g.Flatten(float(g, 'x', 'N', 2, 3), { axis: 1 }), ['N', 6]],
    ['flattening beside ones', (g) => g.Flatten(float(g, 'x', 1, 'N', 2), { axis: 2 }), ['N', 2]],
    ['reshaping a kept axis', (g) => g.Reshape(float(g, 'x', 'N', 2, 3), g.ints([0, -1])), ['N', 6]],
    ['a reduction of another axis', (g) => g.ReduceSum(float(g, 'x', 'N', 2), g.ints([1]), { keepdims: 1 }), ['N', 1]],
    ['padding another axis', (g) => g.Pad(float(g, 'x', 'N', 2), g.ints([0, 1, 0, 1]), { mode: 'constant' }), ['N', 4]],
    [
      'a stack of transposed products',
      (g) => g['com.microsoft.FusedMatMul'](float(g, 'a', 5, 3, 2), float(g, 'b', 5, 4, 3), { transA: 1, transB: 1 }),
      [5, 2, 4],
    ],
    [
      'a product of matrices that lie side by side',
      (g) =>
        g['com.microsoft.FusedMatMul'](float(g, 'a', 2, 5, 3), float(g, 'b', 3, 5, 4), {
          transBatchA: 1,
          transBatchB: 1,
        }),
      [5, 2, 4],
    ],
    [
      'the mean of the normalized axes',
      (g) =>
        g.LayerNormalization(float(g, 'x', 'N', 2, 3), float(g, 's', 2, 3), float(g, 'b', 2, 3), {
          axis: 1,
          epsilon: 1e-5,
        })[1],
      ['N', 1, 1],
    ],
    [
      'every other row, of an odd number of them',
      (g) => g.Slice(float(g, 'x', 'N', 5), g.ints([0]), g.ints([5]), g.ints([1]), g.ints([2])),
      ['N', 3],
    ],
    ['rows by index', (g) => g.Gather(float(g, 'x', 5, 2), typed(g, 'i', 'int64', 'N'), { axis: 0 }), ['N', 2]],
  ];

  test.each(shapes)('%s', (_, emit, shape) => {
    expect(emit(graphBuilder()).shape).toEqual(shape);
  });
});

interface LoopParts {
  readonly count?: DType;
  readonly condition?: DType;
  readonly next?: (b: GraphBuilder, state: Value) => Value;
  readonly more?: boolean;
  /** The size of the state that the body takes. */
  readonly enters?: number;
  readonly returns?: boolean;
}

const zeros = { dtype: 'float32', shape: [2], data: new Float32Array(2) } as const;

const scattered = (g: GraphBuilder) =>
  [float(g, 'data', 4), typed(g, 'indices', 'int64', 2), float(g, 'updates', 2)] as const;

function loop(
  g: GraphBuilder,
  {
    count = 'int64',
    condition = 'bool',
    next = (b, state) => b.Neg(state),
    more = false,
    enters = 2,
    returns = true,
  }: LoopParts,
) {
  const b = g.body();
  typed(b, 'i', 'int64');
  const going = typed(b, 'going', 'bool');
  const state = float(b, 'state', enters);
  if (more) float(b, 'more', 2);
  const body = b.build('body', { going_on: going, ...(returns && { next: next(b, state) }) });
  return g.Loop(typed(g, 'count', count), typed(g, 'condition', condition), float(g, 'x', 2), { body });
}
