/** The losses and gradients of small networks that contain everything a pass may look for. */
import { gradients } from '../../../training/autodiff/index.ts';
import { checkGraph, type Graph, graphBuilder, sizeOf } from '../../../training/graph/index.ts';
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
import type { Arrays } from '../../reference/evaluate.ts';
import { seeded } from '../../reference/random.ts';

/** Builds a graph from x, labels and every tensor to the loss and its gradient with respect to every parameter. */
export function gradientGraph(network: Network, N = 3): Graph {
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

/** Returns positive and negative numbers, positive variances, and pixels with many ties, such as a black border has. */
export function feedsFor(graph: Graph): Arrays {
  const random = seeded(5);
  const draw = (name: string) => {
    if (name === 'labels') return Math.floor(2 * random());
    if (name === 'x') return random() < 0.5 ? 0 : Math.round(8 * random()) / 8;
    return name.endsWith('var') ? 0.5 + random() : 2 * random() - 1;
  };
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }) => {
      const size = sizeOf(shape);
      return [name, { shape: shape.map(Number), data: Float64Array.from({ length: size }, () => draw(name)) }];
    }),
  );
}

export const network = (inputShape: readonly number[], ...layers: readonly Layer[]): Network => ({
  name: 'test',
  inputShape,
  inputNormalization: 'channel',
  layers,
});

export const networks: readonly (readonly [about: string, network: Network])[] = [
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
