/** The gradient graphs of the key ops are recorded as text, so that a wasteful one shows in review. */
import { expect, test } from 'vitest';
import { gradients } from '../../../training/autodiff/index.ts';
import { type GraphBuilder, graphBuilder, printGraph, type Shape, type Value } from '../../../training/graph/index.ts';

/** Returns the gradient of Σ cotangent · y with respect to all inputs. */
function gradientOf(
  shapes: Readonly<Record<string, Shape>>,
  emit: (g: GraphBuilder, inputs: readonly Value[]) => Value,
) {
  const g = graphBuilder();
  const inputs = Object.entries(shapes).map(([name, shape]) => g.input(name, { dtype: 'float32', shape }));
  const y = emit(g, inputs);
  const axes = g.ints(y.shape.map((_, axis) => axis));
  const loss = g.ReduceSum(g.Mul(y, g.input('cotangent', y)), axes, { keepdims: 0 });
  const grads = gradients(g, loss, inputs);
  return printGraph(
    g.build('gradient', Object.fromEntries(grads.map((value, i) => [`d_${inputs[i]?.name ?? ''}`, value]))),
  );
}

const statistics = (g: GraphBuilder): readonly [Value, Value] => [
  g.initializer('mean', { dtype: 'float32', shape: [3], data: new Float32Array(3) }),
  g.initializer('var', { dtype: 'float32', shape: [3], data: new Float32Array(3).fill(1) }),
];

test('BatchNormalization with the mini-batch’s statistics', () => {
  const shapes = { X: [8, 3, 4, 4], scale: [3], B: [3] };
  const graph = gradientOf(shapes, (g, [X, scale, B]) =>
    batchNorm(g, X, scale, B, { epsilon: 1e-5, momentum: 0, training_mode: 1 }),
  );
  expect(graph).toMatchInlineSnapshot(`
    "gradient(X: float32[8, 3, 4, 4], scale: float32[3], B: float32[3], cotangent: float32[8, 3, 4, 4]) {
      BatchNormalization: float32[8, 3, 4, 4], BatchNormalization:1: float32[3], BatchNormalization:2: float32[3] = BatchNormalization(X, scale, B, [0, 0, 0], [1, 1, 1]) {epsilon: 0.00001, momentum: 0, training_mode: 1}
      ReduceSum/grad/Reshape: float32[1, 1, 1, 1] = Reshape(1, [1, 1, 1, 1])
      ReduceSum/grad/Expand: float32[8, 3, 4, 4] = Expand(ReduceSum/grad/Reshape, [8, 3, 4, 4])
      Mul/grad/Mul: float32[8, 3, 4, 4] = Mul(ReduceSum/grad/Expand, cotangent)
      BatchNormalization/grad/Add: float32[3] = Add(BatchNormalization:2, 0.00001)
      BatchNormalization/grad/Sqrt: float32[3] = Sqrt(BatchNormalization/grad/Add)
      BatchNormalization/grad/Reshape: float32[3, 1, 1] = Reshape(BatchNormalization:1, [-1, 1, 1])
      BatchNormalization/grad/Sub: float32[8, 3, 4, 4] = Sub(X, BatchNormalization/grad/Reshape)
      BatchNormalization/grad/Reshape_1: float32[3, 1, 1] = Reshape(BatchNormalization/grad/Sqrt, [-1, 1, 1])
      BatchNormalization/grad/Div: float32[8, 3, 4, 4] = Div(BatchNormalization/grad/Sub, BatchNormalization/grad/Reshape_1)
      d_B: float32[3] = ReduceSum(Mul/grad/Mul, [0, 2, 3]) {keepdims: 0}
      BatchNormalization/grad/Mul: float32[8, 3, 4, 4] = Mul(Mul/grad/Mul, BatchNormalization/grad/Div)
      d_scale: float32[3] = ReduceSum(BatchNormalization/grad/Mul, [0, 2, 3]) {keepdims: 0}
      BatchNormalization/grad/Div_1: float32[3] = Div(scale, BatchNormalization/grad/Sqrt)
      BatchNormalization/grad/Reshape_2: float32[3, 1, 1] = Reshape(BatchNormalization/grad/Div_1, [-1, 1, 1])
      BatchNormalization/grad/Div_2: float32[3] = Div(d_B, 128)
      BatchNormalization/grad/Reshape_3: float32[3, 1, 1] = Reshape(BatchNormalization/grad/Div_2, [-1, 1, 1])
      BatchNormalization/grad/Sub_1: float32[8, 3, 4, 4] = Sub(Mul/grad/Mul, BatchNormalization/grad/Reshape_3)
      BatchNormalization/grad/Div_3: float32[3] = Div(d_scale, 128)
      BatchNormalization/grad/Reshape_4: float32[3, 1, 1] = Reshape(BatchNormalization/grad/Div_3, [-1, 1, 1])
      BatchNormalization/grad/Mul_1: float32[8, 3, 4, 4] = Mul(BatchNormalization/grad/Div, BatchNormalization/grad/Reshape_4)
      BatchNormalization/grad/Sub_2: float32[8, 3, 4, 4] = Sub(BatchNormalization/grad/Sub_1, BatchNormalization/grad/Mul_1)
      d_X: float32[8, 3, 4, 4] = Mul(BatchNormalization/grad/Reshape_2, BatchNormalization/grad/Sub_2)
      return d_X, d_scale, d_B
    }"
  `);
});

test('BatchNormalization with fixed statistics', () => {
  const shapes = { X: [8, 3], scale: [3], B: [3] };
  const graph = gradientOf(shapes, (g, [X, scale, B]) =>
    batchNorm(g, X, scale, B, { epsilon: 1e-5, momentum: 0.9, training_mode: 0 }),
  );
  expect(graph).toMatchInlineSnapshot(`
    "gradient(X: float32[8, 3], scale: float32[3], B: float32[3], cotangent: float32[8, 3]) {
      ReduceSum/grad/Reshape: float32[1, 1] = Reshape(1, [1, 1])
      ReduceSum/grad/Expand: float32[8, 3] = Expand(ReduceSum/grad/Reshape, [8, 3])
      Mul/grad/Mul: float32[8, 3] = Mul(ReduceSum/grad/Expand, cotangent)
      BatchNormalization/grad/Add: float32[3] = Add([1, 1, 1], 0.00001)
      BatchNormalization/grad/Sqrt: float32[3] = Sqrt(BatchNormalization/grad/Add)
      BatchNormalization/grad/Reshape: float32[3] = Reshape([0, 0, 0], [-1])
      BatchNormalization/grad/Sub: float32[8, 3] = Sub(X, BatchNormalization/grad/Reshape)
      BatchNormalization/grad/Reshape_1: float32[3] = Reshape(BatchNormalization/grad/Sqrt, [-1])
      BatchNormalization/grad/Div: float32[8, 3] = Div(BatchNormalization/grad/Sub, BatchNormalization/grad/Reshape_1)
      d_B: float32[3] = ReduceSum(Mul/grad/Mul, [0]) {keepdims: 0}
      BatchNormalization/grad/Mul: float32[8, 3] = Mul(Mul/grad/Mul, BatchNormalization/grad/Div)
      d_scale: float32[3] = ReduceSum(BatchNormalization/grad/Mul, [0]) {keepdims: 0}
      BatchNormalization/grad/Div_1: float32[3] = Div(scale, BatchNormalization/grad/Sqrt)
      BatchNormalization/grad/Reshape_2: float32[3] = Reshape(BatchNormalization/grad/Div_1, [-1])
      d_X: float32[8, 3] = Mul(BatchNormalization/grad/Reshape_2, Mul/grad/Mul)
      return d_X, d_scale, d_B
    }"
  `);
});

test('Conv', () => {
  const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], group: 1 };
  const graph = gradientOf({ X: [8, 2, 6, 6], W: [4, 2, 3, 3], B: [4] }, (g, [X, W, B]) =>
    g.Conv(given(X), given(W), B, attributes),
  );
  expect(graph).toMatchInlineSnapshot(`
    "gradient(X: float32[8, 2, 6, 6], W: float32[4, 2, 3, 3], B: float32[4], cotangent: float32[8, 4, 3, 3]) {
      ReduceSum/grad/Reshape: float32[1, 1, 1, 1] = Reshape(1, [1, 1, 1, 1])
      ReduceSum/grad/Expand: float32[8, 4, 3, 3] = Expand(ReduceSum/grad/Reshape, [8, 4, 3, 3])
      Mul/grad/Mul: float32[8, 4, 3, 3] = Mul(ReduceSum/grad/Expand, cotangent)
      d_X: float32[8, 2, 6, 6] = ConvTranspose(Mul/grad/Mul, W) {kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], group: 1, output_padding: [1, 1]}
      Conv/grad/Transpose: float32[2, 8, 6, 6] = Transpose(X) {perm: [1, 0, 2, 3]}
      Conv/grad/Transpose_1: float32[4, 8, 3, 3] = Transpose(Mul/grad/Mul) {perm: [1, 0, 2, 3]}
      Conv/grad/Conv: float32[2, 4, 4, 4] = Conv(Conv/grad/Transpose, Conv/grad/Transpose_1) {kernel_shape: [3, 3], strides: [1, 1], dilations: [2, 2], pads: [1, 1, 1, 1], group: 1}
      Conv/grad/Slice: float32[2, 4, 3, 3] = Slice(Conv/grad/Conv, [0, 0], [3, 3], [2, 3], [1, 1])
      d_W: float32[4, 2, 3, 3] = Transpose(Conv/grad/Slice) {perm: [1, 0, 2, 3]}
      d_B: float32[4] = ReduceSum(Mul/grad/Mul, [0, 2, 3]) {keepdims: 0}
      return d_X, d_W, d_B
    }"
  `);
});

test('MaxPool', () => {
  const attributes = { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] };
  const graph = gradientOf({ X: [8, 2, 4, 4] }, (g, [X]) => g.MaxPool(given(X), attributes)[0]);
  expect(graph).toMatchInlineSnapshot(`
    "gradient(X: float32[8, 2, 4, 4], cotangent: float32[8, 2, 2, 2]) {
      MaxPool: float32[8, 2, 2, 2], MaxPool:1: int64[8, 2, 2, 2] = MaxPool(X) {kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0]}
      ReduceSum/grad/Reshape: float32[1, 1, 1, 1] = Reshape(1, [1, 1, 1, 1])
      ReduceSum/grad/Expand: float32[8, 2, 2, 2] = Expand(ReduceSum/grad/Reshape, [8, 2, 2, 2])
      Mul/grad/Mul: float32[8, 2, 2, 2] = Mul(ReduceSum/grad/Expand, cotangent)
      MaxPool/grad/Expand: float32[256] = Expand(0, [256])
      MaxPool/grad/Reshape: int64[64] = Reshape(MaxPool:1, [-1])
      MaxPool/grad/Reshape_1: float32[64] = Reshape(Mul/grad/Mul, [-1])
      MaxPool/grad/ScatterElements: float32[256] = ScatterElements(MaxPool/grad/Expand, MaxPool/grad/Reshape, MaxPool/grad/Reshape_1) {axis: 0, reduction: add}
      d_X: float32[8, 2, 4, 4] = Reshape(MaxPool/grad/ScatterElements, [8, 2, 4, 4])
      return d_X
    }"
  `);
});

test('Gemm with a C that is repeated', () => {
  const graph = gradientOf({ A: [8, 4], B: [3, 4], C: [3] }, (g, [A, B, C]) =>
    g.Gemm(given(A), given(B), C, { transB: 1 }),
  );
  expect(graph).toMatchInlineSnapshot(`
    "gradient(A: float32[8, 4], B: float32[3, 4], C: float32[3], cotangent: float32[8, 3]) {
      ReduceSum/grad/Reshape: float32[1, 1] = Reshape(1, [1, 1])
      ReduceSum/grad/Expand: float32[8, 3] = Expand(ReduceSum/grad/Reshape, [8, 3])
      Mul/grad/Mul: float32[8, 3] = Mul(ReduceSum/grad/Expand, cotangent)
      d_A: float32[8, 4] = Gemm(Mul/grad/Mul, B) {alpha: 1, transB: 0}
      d_B: float32[3, 4] = Gemm(Mul/grad/Mul, A) {alpha: 1, transA: 1, transB: 0}
      d_C: float32[3] = ReduceSum(Mul/grad/Mul, [0]) {keepdims: 0}
      return d_A, d_B, d_C
    }"
  `);
});

test('Softmax cross-entropy', () => {
  const g = graphBuilder();
  const scores = g.input('scores', { dtype: 'float32', shape: [8, 10] });
  const labels = g.input('labels', { dtype: 'int64', shape: [8] });
  const [loss] = g.SoftmaxCrossEntropyLoss(scores, labels, { reduction: 'mean' });
  const [d_scores = loss] = gradients(g, loss, [scores]);
  expect(printGraph(g.build('gradient', { d_scores }))).toMatchInlineSnapshot(`
    "gradient(scores: float32[8, 10], labels: int64[8]) {
      SoftmaxCrossEntropyLoss: float32[], SoftmaxCrossEntropyLoss:1: float32[8, 10] = SoftmaxCrossEntropyLoss(scores, labels) {reduction: mean}
      SoftmaxCrossEntropyLoss/grad/Exp: float32[8, 10] = Exp(SoftmaxCrossEntropyLoss:1)
      SoftmaxCrossEntropyLoss/grad/Cast: int64[8] = Cast(labels) {to: int64}
      SoftmaxCrossEntropyLoss/grad/Reshape: int64[8, 1] = Reshape(SoftmaxCrossEntropyLoss/grad/Cast, [-1, 1])
      SoftmaxCrossEntropyLoss/grad/Equal: bool[8, 10] = Equal(SoftmaxCrossEntropyLoss/grad/Reshape, classes)
      SoftmaxCrossEntropyLoss/grad/Cast_1: float32[8, 10] = Cast(SoftmaxCrossEntropyLoss/grad/Equal) {to: float32}
      SoftmaxCrossEntropyLoss/grad/Sub: float32[8, 10] = Sub(SoftmaxCrossEntropyLoss/grad/Exp, SoftmaxCrossEntropyLoss/grad/Cast_1)
      SoftmaxCrossEntropyLoss/grad/Div: float32[] = Div(1, 8)
      d_scores: float32[8, 10] = Mul(SoftmaxCrossEntropyLoss/grad/Sub, SoftmaxCrossEntropyLoss/grad/Div)
      return d_scores
    }"
  `);
});

type Attributes = Parameters<GraphBuilder['BatchNormalization']>[5];

function batchNorm(g: GraphBuilder, X?: Value, scale?: Value, B?: Value, attributes?: Attributes): Value {
  return g.BatchNormalization(given(X), given(scale), given(B), ...statistics(g), given(attributes))[0];
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value');
  return value;
}
