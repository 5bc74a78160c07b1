/** The trained network inside an exported file, for experiments that change it. */
import { readFile } from 'node:fs/promises';
import type { TrainedModel } from '../../../training/checkpoint/index.ts';
import { checkedJson, unexpected } from '../../../training/files/index.ts';
import { decodeModel, type Tensor } from '../../../training/graph/index.ts';
import { networkSchema, planNetwork, tensorsOf } from '../../../training/network/index.ts';

/** @throws UserError for a file that this project did not write */
export async function exportedModel(path: string): Promise<TrainedModel> {
  const { graph, metadata } = decodeModel(await readFile(path));
  const plan = planNetwork(checkedJson(networkSchema, metadata['network'] ?? '', path));
  const stored = new Map(graph.initializers.map(({ name, constant }) => [name, constant]));
  const tensors = tensorsOf(plan).map(({ name }) => {
    const tensor = stored.get(name);
    if (tensor?.dtype !== 'float32') throw unexpected(path, `a tensor ${name}`, 'none');
    return [name, tensor as Tensor<'float32'>] as const;
  });
  const classes = JSON.parse(metadata['classes'] ?? '[]') as readonly string[];
  return { plan, tensors: new Map(tensors), classes, record: undefined };
}
