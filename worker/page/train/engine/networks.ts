/** The two networks that are compared: the same layers, weights and data, the one with Batch Norm, the other without. */
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

/** Fresh tensors, with the weights multiplied by `scale`: weights of one name are the same in both networks. */
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
