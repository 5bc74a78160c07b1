/** The two networks that are compared: they have the same layers, weights and data, and only one has Batch Norm. */
import { classesOf, type ClassificationDataset, type Random } from '../../../../training/data/index.ts';
import {
  type Layer,
  type Network,
  batchNorm,
  dense,
  flatten,
  layerTensorsOf,
  type Plan,
  relu,
} from '../../../../training/network/index.ts';
import { initializeTensors, type State } from '../../../../training/trainer/index.ts';
import { type Settings, type Side, widthOf } from './settings.ts';
import type { Subject } from './subject.ts';

export function networkOf(
  side: Side,
  { depth, data }: Pick<Settings, 'depth' | 'data'>,
  { network, train }: Pick<Subject, 'network' | 'train'>,
): Network {
  const width = widthOf(data);
  const block: readonly Layer[] = side === 'with' ? [dense(width), batchNorm(), relu()] : [dense(width), relu()];
  const isPicture = network.inputShape.length > 1;
  return {
    name: side === 'with' ? 'with-batch-norm' : 'without-batch-norm',
    ...network,
    layers: [
      ...(isPicture ? [flatten()] : []),
      ...Array.from({ length: depth }, () => block).flat(),
      dense(classesOf(train).length),
    ],
  };
}

/**
 * Initializes the tensors, and multiplies the weights by `scale`. Weights of the same name are equal in both networks.
 */
export function initialTensors(plan: Plan, random: Random, data: ClassificationDataset, scale: number): State {
  const weights = new Set(layerTensorsOf(plan).flatMap(({ name, role }) => (role.kind === 'weight' ? [name] : [])));
  const fresh = initializeTensors(plan, random, data);
  if (scale === 1) return fresh;
  return new Map(
    [...fresh].map(([name, tensor]) => {
      const data = weights.has(name) ? tensor.data.map((value) => value * scale) : tensor.data;
      return [name, { ...tensor, data }] as const;
    }),
  );
}
