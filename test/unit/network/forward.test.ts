import { describe, expect, test } from 'vitest';
import { elementCount } from '../../../training/arrays/index.ts';
import { checkGraph, graphBuilder, printGraph, sizeOf } from '../../../training/graph/index.ts';
import {
  batchNorm,
  conv2d,
  emitForward,
  gelu,
  globalAveragePool,
  type Layer,
  type Mode,
  planNetwork,
  relu,
  residual,
  softmax,
  tensorsOf,
} from '../../../training/network/index.ts';
import { evaluate } from '../../reference/evaluate.ts';

/** Returns the forward pass of a network on inputs that are not normalized (μ = 0, σ² = 1 − ε). */
function forwardGraph(inputShape: readonly number[], layers: readonly Layer[], mode: Mode = 'inference', count = 2) {
  const plan = planNetwork({ name: 'net', inputShape, inputNormalization: 'feature', layers });
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: [count, ...inputShape] });
  const tensors = new Map(
    tensorsOf(plan).map(({ name, shape }) => [name, g.input(name, { dtype: 'float32', shape })] as const),
  );
  return checkGraph(g.build('forward', { y: emitForward(g, plan, x, { mode, tensors }).output }));
}

function forward(inputShape: readonly number[], layers: readonly Layer[], x: readonly number[], weights = {}) {
  const count = x.length / elementCount(inputShape);
  const graph = forwardGraph(inputShape, layers, 'inference', count);
  const values: Readonly<Record<string, readonly number[]>> = { x, ...weights };
  const feeds = graph.inputs.map(({ name, shape }) => {
    const otherwise = new Float64Array(sizeOf(shape)).fill(name === 'input.std' ? 1 : 0);
    const data = Float64Array.from(values[name] ?? otherwise);
    return [name, { shape: shape.map(Number), data }] as const;
  });
  return [...(evaluate(graph, Object.fromEntries(feeds)).y?.data ?? [])];
}

describe('layers compute what their formulas say', () => {
  test('gelu is x Φ(x)', () => {
    const [a = 0, b = 0, c = 0] = forward([3], [gelu()], [0, 1, -2]);
    expect(a).toBeCloseTo(0, 6);
    expect(b).toBeCloseTo(0.8413447460685429, 6);
    expect(c).toBeCloseTo(-2 * 0.022750131948179195, 6);
  });

  test('softmax is taken over features, and over the channels of an image', () => {
    expect(forward([2], [softmax()], [Math.log(3), 0]).map((p) => p.toFixed(5))).toEqual(['0.75000', '0.25000']);
    const image = forward([2, 1, 2], [softmax()], [Math.log(3), 0, 0, Math.log(4)]);
    expect(image.map((p) => p.toFixed(5))).toEqual(['0.75000', '0.20000', '0.25000', '0.80000']);
  });

  test('global average pooling is the mean of each channel', () => {
    const means = forward([2, 1, 2], [globalAveragePool()], [1, 3, 10, 20]);
    expect(means.map((mean) => mean.toFixed(5))).toEqual(['2.00000', '15.00000']);
  });

  test('a residual block adds its layers to its input, and to its shortcut where it has one', () => {
    const double = { 'block1.conv1.weight': [2] };
    expect(forward([1, 1, 1], [residual([conv2d(1, { kernel: 1 })])], [5], double)[0]).toBeCloseTo(15, 5);
    const both = residual([conv2d(1, { kernel: 1 })], { shortcut: [conv2d(1, { kernel: 1 })] });
    const weights = { ...double, 'block1.shortcut.conv1.weight': [-3], 'block1.shortcut.conv1.bias': [1] };
    expect(forward([1, 1, 1], [both], [5], weights)[0]).toBeCloseTo(10 - 15 + 1, 5);
  });
});

describe('the mode', () => {
  const layers = [residual([conv2d(2, { kernel: 1 }), batchNorm()], { shortcut: [conv2d(2, { kernel: 1 })] }), relu()];
  const trainingModeOf = (mode: Mode) =>
    forwardGraph([1, 2, 2], layers, mode).nodes.flatMap((node) =>
      node.op === 'BatchNormalization' ? [node.attributes.training_mode] : [],
    );

  test.each([
    ['train', 1],
    ['frozenTrain', 0],
    ['inference', 0],
    ['batchStatistics', 1],
  ] as const)('%s normalizes with training_mode %i', (mode, expected) => {
    expect(trainingModeOf(mode)).toEqual([expected]);
  });

  test('a residual block prints as it reads', () => {
    expect(printGraph(forwardGraph([1, 2, 2], layers))).toMatchInlineSnapshot(`
      "forward(x: float32[2, 1, 2, 2], input.mean: float32[1, 2, 2], input.std: float32[1, 2, 2], block1.conv1.weight: float32[2, 1, 1, 1], block1.bn1.weight: float32[2], block1.bn1.bias: float32[2], block1.bn1.running_mean: float32[2], block1.bn1.running_var: float32[2], block1.shortcut.conv1.weight: float32[2, 1, 1, 1], block1.shortcut.conv1.bias: float32[2]) {
        input/Sub: float32[2, 1, 2, 2] = Sub(x, input.mean)
        input/Div: float32[2, 1, 2, 2] = Div(input/Sub, input.std)
        block1/conv1/Conv: float32[2, 2, 2, 2] = Conv(input/Div, block1.conv1.weight) {kernel_shape: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1}
        block1/bn1/BatchNormalization: float32[2, 2, 2, 2], block1/bn1/BatchNormalization:1: float32[2], block1/bn1/BatchNormalization:2: float32[2] = BatchNormalization(block1/conv1/Conv, block1.bn1.weight, block1.bn1.bias, block1.bn1.running_mean, block1.bn1.running_var) {epsilon: 0.00001, momentum: 0, training_mode: 0}
        block1/shortcut/conv1/Conv: float32[2, 2, 2, 2] = Conv(input/Div, block1.shortcut.conv1.weight, block1.shortcut.conv1.bias) {kernel_shape: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1}
        block1/Add: float32[2, 2, 2, 2] = Add(block1/bn1/BatchNormalization, block1/shortcut/conv1/Conv)
        y: float32[2, 2, 2, 2] = Relu(block1/Add)
        return y
      }"
    `);
  });
});
