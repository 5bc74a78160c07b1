/** Convolutions and pools are right for every kind of window, and with other ops before and behind them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { compile, CompileError } from '../../../training/compile/index.ts';
import { type Graph, graphBuilder, type GraphBuilder, type Tensor, type Value } from '../../../training/graph/index.ts';
import {
  averagePool,
  batchNorm,
  conv2d,
  dense,
  flatten,
  gelu,
  globalAveragePool,
  type Layer,
  layerNorm,
  leakyRelu,
  maxPool,
  relu,
  residual,
  sigmoid,
  softmax,
  tanh,
} from '../../../training/network/index.ts';
import { range, sizeOf } from '../../reference/ndarray.ts';
import { type Random, seeded } from '../../reference/random.ts';
import { networkGraph, samplesFor } from './network-graph.ts';
import { expectReference } from './run-compiled.ts';

interface Case {
  readonly channels: number;
  readonly outputs: number;
  readonly size: readonly [height: number, width: number];
  readonly kernel: readonly [height: number, width: number];
  readonly strides?: readonly [number, number];
  readonly pads?: readonly [number, number, number, number];
  readonly dilations?: readonly [number, number];
  readonly group?: number;
  readonly bias?: boolean;
}

// Drawn anew for each test, so that its numbers do not depend on the tests before it.
let random = seeded(11);
beforeEach(() => {
  random = seeded(11);
});
const tensor = (shape: readonly number[], draw: Random = random): Tensor<'float32'> => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(range(sizeOf(shape)), () => 2 * draw() - 1),
});

function convGraph({
  channels,
  outputs,
  size,
  kernel,
  strides = [1, 1],
  pads = [0, 0, 0, 0],
  dilations = [1, 1],
  group = 1,
  bias = true,
}: Case): Graph {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: ['N', channels, ...size] });
  const W = g.initializer('W', tensor([outputs, channels / group, ...kernel]));
  const B = bias ? g.initializer('B', tensor([outputs])) : undefined;
  const attributes = { kernel_shape: kernel, strides, pads, dilations, group };
  return g.build('conv', { y: g.Conv(x, W, B, attributes) });
}

const windows: readonly Omit<Case, 'channels' | 'outputs' | 'group'>[] = [
  { size: [6, 6], kernel: [1, 1] },
  { size: [6, 6], kernel: [3, 3] },
  { size: [6, 6], kernel: [3, 3], pads: [1, 1, 1, 1] },
  { size: [7, 5], kernel: [3, 3], pads: [1, 1, 1, 1], bias: false },
  { size: [7, 9], kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  { size: [8, 8], kernel: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1] },
  { size: [9, 8], kernel: [5, 5], pads: [2, 2, 2, 2] },
  { size: [9, 9], kernel: [7, 7], strides: [2, 2], pads: [3, 3, 3, 3] },
  { size: [9, 9], kernel: [3, 3], dilations: [2, 2], pads: [2, 2, 2, 2] },
  { size: [8, 7], kernel: [2, 4], strides: [1, 3], pads: [0, 2, 1, 0], dilations: [3, 1] },
  { size: [4, 11], kernel: [1, 5], pads: [0, 2, 0, 2] },
  { size: [3, 3], kernel: [3, 3] },
  { size: [1, 6], kernel: [1, 1], strides: [1, 2] },
  { size: [2, 1], kernel: [3, 3], pads: [1, 1, 1, 1] },
];

const channels: readonly Pick<Case, 'channels' | 'outputs' | 'group'>[] = [
  { channels: 1, outputs: 1 },
  { channels: 1, outputs: 16 },
  { channels: 3, outputs: 7 },
  { channels: 4, outputs: 4 },
  { channels: 5, outputs: 12 },
  { channels: 8, outputs: 20 },
  { channels: 6, outputs: 33 },
  { channels: 70, outputs: 44 },
  { channels: 8, outputs: 8, group: 2 },
  { channels: 16, outputs: 24, group: 2 },
  { channels: 8, outputs: 8, group: 8 },
  { channels: 5, outputs: 5, group: 5 },
  { channels: 5, outputs: 15, group: 5 },
  { channels: 6, outputs: 4, group: 2 },
  { channels: 9, outputs: 6, group: 3 },
];

const told = (value: object): string => JSON.stringify(value).replaceAll('"', '');

describe.each(channels.map((row) => [told(row), row] as const))('Conv of %s', (_name, row) => {
  it.each(windows.map((window) => [told(window), window] as const))('%s', async (_told, window) => {
    const graph = convGraph({ ...row, ...window });
    await expectReference(graph, samplesFor(graph, 2));
  });

  it('rounds once where it may', async () => {
    const graph = convGraph({ ...row, size: [6, 6], kernel: [3, 3], pads: [1, 1, 1, 1] });
    await expectReference(graph, samplesFor(graph, 2), { fma: true });
  });
});

const pools = {
  MaxPool: (g: GraphBuilder, x: Value, window: Pads) => g.MaxPool(x, window)[0],
  AveragePool: (g: GraphBuilder, x: Value, window: Pads) => g.AveragePool(x, window),
} as const;

interface Pads {
  readonly kernel_shape: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
}

describe.each(['MaxPool', 'AveragePool'] as const)('%s', (op) => {
  const none = [0, 0, 0, 0];
  const windowsOf: readonly Pads[] = [
    { kernel_shape: [2, 2], strides: [2, 2], pads: none },
    { kernel_shape: [3, 3], strides: [1, 1], pads: none },
    { kernel_shape: [2, 3], strides: [3, 1], pads: none },
    { kernel_shape: [7, 5], strides: [1, 1], pads: none },
    ...(op === 'MaxPool'
      ? [
          { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
          { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] },
          { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 1, 1] },
        ]
      : []),
  ];
  const rows = [1, 3, 4, 9].flatMap((count) => windowsOf.map((window) => ({ count, window })));
  it.each(rows.map((row) => [told(row), row] as const))('%s', async (_told, { count, window }) => {
    const g = graphBuilder();
    const x = g.input('x', { dtype: 'float32', shape: ['N', count, 7, 5] });
    const graph = g.build('pool', { y: pools[op](g, x, window) });
    await expectReference(graph, samplesFor(graph, 2));
  });
});

describe('networks of pictures', () => {
  const image = (...layers: readonly Layer[]) => ({ inputShape: [3, 12, 10], layers });
  const networks = {
    'a small CNN': image(
      ...[conv2d(8, { kernel: 3, padding: 1 }), batchNorm(), relu(), maxPool(2)],
      ...[conv2d(12, { kernel: 3, padding: 1 }), batchNorm(), relu(), maxPool(2), flatten(), dense(5)],
    ),
    'activations behind convolutions': image(
      ...[conv2d(6, { kernel: 3 }), leakyRelu(0.2), conv2d(5, { kernel: 1 }), sigmoid()],
      ...[conv2d(4, { kernel: 3 }), tanh(), conv2d(7, { kernel: 1 }), gelu(), flatten(), dense(3)],
    ),
    'Batch Norm before a convolution': image(batchNorm(), conv2d(4, { kernel: 3 }), relu(), batchNorm(), flatten()),
    'residual blocks': image(
      ...[conv2d(8, { kernel: 3, padding: 1 }), batchNorm(), relu()],
      residual([
        conv2d(8, { kernel: 3, padding: 1 }),
        batchNorm(),
        relu(),
        conv2d(8, { kernel: 3, padding: 1 }),
        batchNorm(),
      ]),
      relu(),
      residual([conv2d(12, { kernel: 3, padding: 1, stride: 2 }), batchNorm()], {
        shortcut: [conv2d(12, { kernel: 1, stride: 2 }), batchNorm()],
      }),
      ...[relu(), globalAveragePool(), dense(4)],
    ),
    'depthwise and pointwise': image(
      ...[conv2d(8, { kernel: 3, padding: 1, stride: 2 }), batchNorm(), relu()],
      ...[conv2d(8, { kernel: 3, padding: 1, groups: 8 }), batchNorm(), relu(), conv2d(10, { kernel: 1 }), batchNorm()],
      ...[conv2d(10, { kernel: 3, padding: 1, groups: 10, stride: 2 }), relu(), averagePool(2), flatten(), dense(3)],
    ),
    'borders of several widths on one image': image(
      conv2d(4, { kernel: 1 }),
      residual([conv2d(4, { kernel: 5, padding: 2 })], { shortcut: [conv2d(4, { kernel: 3, padding: 1 })] }),
      relu(),
    ),
    'what normalizes images': image(
      conv2d(6, { kernel: 3 }),
      layerNorm(),
      conv2d(5, { kernel: 3 }),
      softmax(),
      globalAveragePool(),
    ),
    'pools alone': image(maxPool(2), averagePool(3, { stride: 1 }), flatten()),
  } as const;
  it.each(Object.entries(networks))('%s', async (_name, network) => {
    const graph = networkGraph(network);
    await expectReference(graph, samplesFor(graph, 3));
    await expectReference(graph, samplesFor(graph, 3), { fma: true });
  });
});

it.each([
  [
    'computed weights',
    (g: GraphBuilder, x: Value) =>
      g.Conv(x, g.Exp(g.initializer('W', tensor([4, 3, 1, 1]))), undefined, {
        kernel_shape: [1, 1],
        strides: [1, 1],
        pads: [0, 0, 0, 0],
        dilations: [1, 1],
        group: 1,
      }),
    'Conv: expected stored weights, got computed ones',
  ],
  [
    'the places of maxima',
    (g: GraphBuilder, x: Value) => g.MaxPool(x, { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] })[1],
    'got its Indices',
  ],
])('%s are refused', async (_name, emit, message) => {
  const g = graphBuilder();
  const graph = g.build('refused', { y: emit(g, g.input('x', { dtype: 'float32', shape: ['N', 3, 4, 4] })) });
  const refusal: unknown = await compile(graph).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(CompileError);
  expect(String(refusal)).toContain(message);
});
