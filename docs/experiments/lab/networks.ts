/** Builds the networks of the experiments: dense layers on MNIST, with and without Batch Norm. */
import {
  batchNorm,
  dense,
  dropout,
  flatten,
  type InputNormalization,
  type Layer,
  type Network,
  relu,
} from '../../../training/network/index.ts';
import { range } from './range.ts';

export interface DenseOptions {
  readonly depth: number;
  readonly width: number;
  readonly batchNorm: boolean;
  /** The rate of dropout after every activation; 0 for none. */
  readonly dropout?: number;
  readonly inputNormalization?: InputNormalization;
}

/** Builds `depth` hidden layers of `width` units, z → BN → ReLU, and ten logits. */
export function denseNetwork(options: DenseOptions): Network {
  const { depth, width, dropout: rate = 0, inputNormalization = 'channel' } = options;
  const hidden: readonly Layer[] = [
    dense(width),
    ...(options.batchNorm ? [batchNorm()] : []),
    relu(),
    ...(rate > 0 ? [dropout(rate)] : []),
  ];
  return {
    name: `${depth} x ${width}${options.batchNorm ? ', Batch Norm' : ''}`,
    inputShape: [1, 28, 28],
    inputNormalization,
    layers: [flatten(), ...range(depth).flatMap(() => hidden), dense(10)],
  };
}

/** Builds a network of `mnist-mlp`'s shape. */
export const mlp = (options: Omit<DenseOptions, 'depth' | 'width'>): Network =>
  denseNetwork({ depth: 2, width: 256, ...options });
