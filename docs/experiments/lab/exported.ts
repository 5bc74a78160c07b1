/** Reads the trained network inside an exported file, for experiments that change it. */
import { readFile } from 'node:fs/promises';
import {
  pickTensor,
  type StoredTensor,
  type TrainedModel,
  withDeviations,
} from '../../../training/checkpoint/index.ts';
import { checkedJson } from '../../../training/files/index.ts';
import { decodeModel } from '../../../training/graph/index.ts';
import { networkSchema, planNetwork, tensorsOf } from '../../../training/network/index.ts';

/** @throws UserError when this project did not write the file */
export async function exportedModel(path: string): Promise<TrainedModel> {
  const { graph, metadata } = decodeModel(await readFile(path));
  const plan = planNetwork(checkedJson(networkSchema, metadata['network'] ?? '', path));
  const stored = graph.initializers.flatMap(({ name, constant }): [string, StoredTensor][] => {
    const { shape, data } = constant ?? {};
    return shape && data instanceof Float32Array ? [[name, { dtype: 'F32', shape, data }]] : [];
  });
  const current = withDeviations(new Map(stored));
  const tensors = tensorsOf(plan).map(
    ({ name, shape }) => [name, pickTensor(path, name, shape, current.get(name))] as const,
  );
  const classes = JSON.parse(metadata['classes'] ?? '[]') as readonly string[];
  return { plan, tensors: new Map(tensors), classes, record: undefined };
}
