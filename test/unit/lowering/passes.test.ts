/** Every pass gives the graph it was given, in other ops: the float64 interpreter runs both. */
import { describe, expect, it } from 'vitest';
import { gradients } from '../../../training/autodiff/index.ts';
import { elementCount } from '../../../training/files/element-count.ts';
import { checkGraph, type Graph, graphBuilder, type OpType, printGraph } from '../../../training/graph/index.ts';
import { lower } from '../../../training/lowering/index.ts';
import {
  batchNorm,
  conv2d,
  dense,
  emitForward,
  flatten,
  isTrained,
  type Layer,
  maxPool,
  type Network,
  planNetwork,
  relu,
  residual,
  tensorsOf,
} from '../../../training/network/index.ts';
import { type Arrays, evaluate } from '../../reference/evaluate.ts';
import { channelBlock } from '../../reference/evaluators/convolution.ts';
import { seeded } from '../../reference/random.ts';

const N = 3;

/** Inputs x, labels and every tensor -> the loss and its gradient in every parameter. */
function gradientGraph(network: Network): Graph {
  const plan = planNetwork(network);
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: [N, ...network.inputShape] });
  const labels = g.input('labels', { dtype: 'int32', shape: [N] });
  const tensors = new Map(tensorsOf(plan).map(({ name, shape }) => [name, g.input(name, { dtype: 'float32', shape })]));
  const { output, batchStatistics } = emitForward(g, plan, x, { mode: 'train', tensors });
  const [loss] = g.SoftmaxCrossEntropyLoss(output, labels, { reduction: 'mean' });
  const trained = tensorsOf(plan).filter(isTrained);
  const parameters = trained.map(({ name }) => tensors.get(name) ?? x);
  const grads = gradients(g, loss, parameters).map((value, i) => [`d ${trained[i]?.name ?? ''}`, value] as const);
  const statistics = [...batchStatistics].map(([name, { mean }]) => [`mean of ${name}`, mean] as const);
  return checkGraph(g.build('gradient', { loss, ...Object.fromEntries([...grads, ...statistics]) }));
}

/** Positive and negative numbers; variances positive; pixels with many ties, as a black border has. */
function feedsFor(graph: Graph): Arrays {
  const random = seeded(5);
  const draw = (name: string) => {
    if (name === 'labels') return Math.floor(2 * random());
    if (name === 'x') return random() < 0.5 ? 0 : Math.round(8 * random()) / 8;
    return name.endsWith('var') ? 0.5 + random() : 2 * random() - 1;
  };
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }) => {
      const size = elementCount(shape);
      return [name, { shape: shape.map(Number), data: Float64Array.from({ length: size }, () => draw(name)) }];
    }),
  );
}

const network = (inputShape: readonly number[], ...layers: readonly Layer[]): Network => ({
  name: 'test',
  inputShape,
  inputNormalization: 'channel',
  layers,
});

const networks: readonly (readonly [about: string, network: Network])[] = [
  ['a dense network', network([6], dense(5), batchNorm(), relu(), dense(4), batchNorm(), relu(), dense(2))],
  [
    'the layers of mnist-cnn',
    network(
      [1, 8, 8],
      ...[conv2d(3, { kernel: 3, padding: 1 }), batchNorm(), relu(), maxPool(2)],
      ...[conv2d(4, { kernel: 3, padding: 1 }), batchNorm(), relu(), maxPool(2)],
      ...[flatten(), dense(5), batchNorm(), relu(), dense(2)],
    ),
  ],
  [
    'a first layer of few taps, and dilation',
    network(
      [1, 8, 8],
      ...[conv2d(5, { kernel: 3, padding: 1 }), batchNorm(), relu(), maxPool(2)],
      ...[conv2d(3, { kernel: 3, padding: 2, dilation: 2 }), batchNorm(), relu(), maxPool(2)],
      ...[flatten(), dense(2)],
    ),
  ],
  [
    'blocks without padding, and a pooled image that a convolution without Batch Norm reads',
    network(
      [2, 9, 7],
      ...[conv2d(9, { kernel: 2 }), batchNorm(), relu(), maxPool(2)],
      ...[conv2d(2, { kernel: 2, padding: 1 }), relu(), flatten(), dense(2)],
    ),
  ],
  [
    'a residual block behind a pooled one',
    network(
      [1, 6, 6],
      ...[conv2d(3, { kernel: 3, padding: 1 }), batchNorm(), relu(), maxPool(2)],
      residual([conv2d(3, { kernel: 3, padding: 1 }), batchNorm(), relu(), conv2d(3, { kernel: 1 }), batchNorm()]),
      ...[relu(), flatten(), dense(2)],
    ),
  ],
  [
    'a ReLU that is read by pooling and by a shortcut',
    network(
      [1, 6, 6],
      ...[conv2d(3, { kernel: 3, padding: 1 }), batchNorm(), relu()],
      residual([maxPool(2)], { shortcut: [conv2d(3, { kernel: 2, stride: 2 })] }),
      ...[flatten(), dense(2)],
    ),
  ],
  [
    'a ReLU that is read by two poolings of different windows',
    network(
      [1, 6, 6],
      ...[conv2d(3, { kernel: 3, padding: 1 }), batchNorm(), relu()],
      residual([maxPool(2)], { shortcut: [maxPool(4, { stride: 1 })] }),
      ...[flatten(), dense(2)],
    ),
  ],
  [
    'blocks that are not quite: strides, groups, overlapping windows',
    network(
      [2, 9, 9],
      ...[conv2d(4, { kernel: 2, stride: 1 }), batchNorm(), relu(), maxPool(2, { stride: 1 })],
      ...[conv2d(4, { kernel: 2, groups: 2 }), batchNorm(), relu(), maxPool(2)],
      ...[conv2d(4, { kernel: 3, stride: 2, padding: 1 }), batchNorm(), relu(), flatten(), dense(2)],
    ),
  ],
  [
    'strides, odd sizes and windows that overlap',
    network(
      [2, 9, 9],
      conv2d(3, { kernel: 3, stride: 2 }),
      relu(),
      maxPool(2, { stride: 1 }),
      conv2d(2, { kernel: 2, padding: 1 }),
      flatten(),
      dense(2),
    ),
  ],
  [
    'pooling without ReLU',
    network([1, 6, 6], conv2d(2, { kernel: 3, padding: 1 }), maxPool(2), conv2d(2, { kernel: 3 }), flatten(), dense(2)),
  ],
  [
    'ReLU that is read twice',
    network([1, 6, 6], conv2d(2, { kernel: 3, padding: 1 }), relu(), maxPool(3), relu(), flatten(), dense(2)),
  ],
];

describe('a graph lowered for the native backend', () => {
  it.each(networks)('computes the same loss, gradients and statistics: %s', (_, described) => {
    const graph = gradientGraph(described);
    const feeds = feedsFor(graph);
    const [expected, got] = [evaluate(graph, feeds), evaluate(lower(graph, 'native', { channelBlock }), feeds)];
    expect(Object.keys(got)).toEqual(Object.keys(expected));
    for (const [name, { data }] of Object.entries(expected)) {
      const scale = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
      data.forEach((value, i) => {
        const other = got[name]?.data[i] ?? NaN;
        const error = Math.abs(other - value) / scale;
        expect(error, `${name}[${i}]: expected ${value}, got ${other}, error ${error}`).toBeLessThanOrEqual(1e-9);
      });
    }
  });

  it('has none of the ops that the passes replace', () => {
    const count = (graph: Graph, op: OpType) => graph.nodes.filter((node) => node.op === op).length;
    const graph = gradientGraph(networks[1]?.[1] ?? network([1]));
    const lowered = lower(graph, 'native');
    const counts = (['ScatterElements', 'ConvTranspose', 'Greater', 'Conv', 'Max', 'HardSigmoid'] as const).map(
      (op) => [op, count(graph, op), count(lowered, op)] as const,
    );
    expect(counts).toEqual([
      ['ScatterElements', 2, 0],
      ['ConvTranspose', 1, 0],
      ['Greater', 3, 0],
      ['Conv', 4, 3],
      ['Max', 0, 6],
      ['HardSigmoid', 0, 11],
    ]);
  });

  it('reads as reviewed: a pooled block in front of a pooled block', async () => {
    const lowered = lower(gradientGraph(networks[2]?.[1] ?? network([1])), 'native');
    await expect(printGraph(lowered)).toMatchFileSnapshot('pooled-blocks.graph.txt');
  });

  it('puts the channels of a convolution into blocks where they fill some', () => {
    const g = graphBuilder();
    const x = g.input('x', { dtype: 'float32', shape: [1, 8, 3, 3] });
    const filters = [
      g.input('even', { dtype: 'float32', shape: [4, 8, 2, 2] }),
      g.input('odd', { dtype: 'float32', shape: [3, 4, 1, 1] }),
    ];
    const window = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1 };
    const y = filters.reduce(
      (image, W) => g.Conv(image, W, undefined, { ...window, kernel_shape: W.shape.slice(2).map(Number) }),
      x,
    );
    expect(printGraph(lower(g.build('blocks', { y }), 'native', { channelBlock: 4 }))).toMatchInlineSnapshot(`
      "blocks(x: float32[1, 8, 3, 3], even: float32[4, 8, 2, 2], odd: float32[3, 4, 1, 1]) {
        com.microsoft.nchwc.ReorderInput: float32[1, 8, 3, 3] = com.microsoft.nchwc.ReorderInput(x)
        Reshape: float32[1, 4, 2, 4, 2, 2] = Reshape(even, [1, 4, 2, 4, 2, 2])
        Transpose: float32[1, 2, 2, 2, 4, 4] = Transpose(Reshape) {perm: [0, 2, 4, 5, 3, 1]}
        Reshape_1: float32[4, 8, 2, 2] = Reshape(Transpose, [4, 8, 2, 2])
        com.microsoft.nchwc.Conv: float32[1, 4, 2, 2] = com.microsoft.nchwc.Conv(com.microsoft.nchwc.ReorderInput, Reshape_1) {strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1, kernel_shape: [2, 2]}
        com.microsoft.nchwc.ReorderOutput: float32[1, 4, 2, 2] = com.microsoft.nchwc.ReorderOutput(com.microsoft.nchwc.Conv) {channels: 4}
        y: float32[1, 3, 2, 2] = Conv(com.microsoft.nchwc.ReorderOutput, odd) {strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1, kernel_shape: [1, 1]}
        return y
      }"
    `);
  });
});
