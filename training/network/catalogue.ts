/** The networks that can be chosen by name. */
import { batchNorm, conv2d, dense, dropout, flatten, maxPool, relu, residual } from './layer.ts';
import type { Network } from './schema.ts';

const mnist = { inputShape: [1, 28, 28], inputNormalization: 'channel' } as const;

const convBatchNorm = (channels: number, { stride = 1 } = {}) =>
  [conv2d(channels, { kernel: 3, stride, padding: 1 }), batchNorm()] as const;

export type NetworkName = 'mnist-mlp' | 'mnist-cnn' | 'mnist-resnet';

export const networks: Readonly<Record<NetworkName, Network>> = {
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
  'mnist-resnet': {
    name: 'mnist-resnet',
    ...mnist,
    layers: [
      conv2d(32, { kernel: 3, padding: 1 }),
      batchNorm(),
      relu(),
      maxPool(2),
      residual([...convBatchNorm(32), relu(), ...convBatchNorm(32)]),
      relu(),
      residual([...convBatchNorm(64, { stride: 2 }), relu(), ...convBatchNorm(64)], {
        shortcut: [conv2d(64, { kernel: 1, stride: 2 }), batchNorm()],
      }),
      relu(),
      flatten(),
      dropout(0.5),
      dense(10),
    ],
  },
};
