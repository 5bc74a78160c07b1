/** The networks that have a name. */
import { batchNorm, conv2d, dense, flatten, maxPool, type Network, relu } from './layer.ts';

const mnist = { inputShape: [1, 28, 28], inputNormalization: 'channel' } as const;

export const networks = {
  'mnist-mlp': {
    name: 'mnist-mlp',
    ...mnist,
    layers: [flatten(), dense(256), batchNorm(), relu(), dense(256), batchNorm(), relu(), dense(10)],
  },
  'mnist-cnn': {
    name: 'mnist-cnn',
    ...mnist,
    layers: [
      conv2d(16, { kernel: 3, padding: 1 }),
      batchNorm(),
      relu(),
      maxPool(2),
      conv2d(32, { kernel: 3, padding: 1 }),
      batchNorm(),
      relu(),
      maxPool(2),
      flatten(),
      dense(128),
      batchNorm(),
      relu(),
      dense(10),
    ],
  },
} as const satisfies Readonly<Record<string, Network>>;

export type NetworkName = keyof typeof networks;
