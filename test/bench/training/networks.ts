/** The networks whose speed is measured, and the data of each. */
import {
  batchNorm,
  conv2d,
  dense,
  denseNetwork,
  flatten,
  maxPool,
  type Network,
  networks,
  relu,
} from '../../../training/network/index.ts';
import { type DataName, penguinsCategories, tableCategories } from './datasets.ts';

export interface Case {
  readonly network: Network;
  readonly batchSize: number;
  readonly data: DataName;
  /** Is true for a measurement beside a process that keeps a core busy. */
  readonly underLoad?: true;
}

const [mlp, cnn, resnet] = [networks['mnist-mlp'], networks['mnist-cnn'], networks['mnist-resnet']];

/** Returns `mnist-mlp` with other hidden layers. */
export function multilayerPerceptron(hidden: number, units: number): Network {
  const layers = Array.from({ length: hidden }, () => [dense(units), batchNorm(), relu()]).flat();
  return { ...mlp, name: `mlp-${hidden}x${units}`, layers: [flatten(), ...layers, dense(10)] };
}

const convBlock = (channels: number) => [conv2d(channels, { kernel: 3, padding: 1 }), batchNorm(), relu(), maxPool(2)];

/** Two convolutions over pictures of CIFAR's size. */
const wideCnn: Network = {
  name: 'cnn-64-128',
  inputShape: [3, 32, 32],
  inputNormalization: 'channel',
  layers: [...convBlock(64), ...convBlock(128), flatten(), dense(256), batchNorm(), relu(), dense(10)],
};

/**
 * Returns the network that `bn-edge train` uses for a table by default, over the columns that `datasets.ts` generates.
 */
const table = (name: string, categories: readonly number[], outputs: number): Network =>
  denseNetwork({ name, inputShape: [categories.length], categories, outputs }, [64, 32]);

export const cases: readonly Case[] = [
  { network: mlp, batchSize: 64, data: 'mnist' },
  { network: mlp, batchSize: 256, data: 'mnist' },
  { network: cnn, batchSize: 64, data: 'mnist' },
  { network: cnn, batchSize: 256, data: 'mnist' },
  { network: multilayerPerceptron(4, 1024), batchSize: 64, data: 'mnist' },
  { network: wideCnn, batchSize: 64, data: 'pictures' },
  { network: resnet, batchSize: 64, data: 'mnist' },
  { network: table('penguins', penguinsCategories, 3), batchSize: 32, data: 'penguins' },
  { network: table('table-50000', tableCategories, 2), batchSize: 64, data: 'table' },
  { network: mlp, batchSize: 64, data: 'mnist', underLoad: true },
  { network: cnn, batchSize: 64, data: 'mnist', underLoad: true },
];

/** Returns the case's name in the names of measurements. */
export const caseName = ({ network, batchSize, underLoad }: Case): string =>
  `training/${network.name}/${batchSize}${underLoad ? '/under_load' : ''}`;
