/**
 * A job in full, for engines that cannot read this project's data themselves: one safetensors file with the very samples,
 * order of samples and initial tensors that this project's engine would use.
 *
 *   train.inputs U8 [N, ..], train.labels I32 [N], test.inputs, test.labels
 *   order I32 [E, N]          sample indices of the first epochs; steps beyond start again
 *   conv1.weight F32 …        the network's tensors by their names, input.mean and input.std among them
 *   input.var F32 …           σ², of which the peers take √(σ² + 1e-5)
 */
import { writeSafetensors, type Tensor } from '../../../training/checkpoint/checkpoint.ts';
import { nativeBackend } from '../../../training/backend/index.ts';
import {
  type ClassificationDataset,
  createRandom,
  epochBatches,
  loadMnist,
  type Samples,
} from '../../../training/data/index.ts';
import { planNetwork } from '../../../training/network/index.ts';
import { type State, TrainingRun } from '../../../training/trainer/index.ts';
import type { Job } from './job.ts';

const epochsOfOrder = 3;

export async function writeProblem(path: string, job: Job): Promise<void> {
  const { train, test } = await loadMnist({ seed: job.config.seed });
  const tensors = new Map<string, Tensor>([
    ...datasetTensors('train', train),
    ...datasetTensors('test', test),
    ['order', orderOf(job, train)],
  ]);
  for (const [name, { shape, data }] of await initialTensors(job, train)) {
    tensors.set(name, { dtype: 'F32', shape, data });
    if (name === 'input.std') tensors.set('input.var', { dtype: 'F32', shape, data: data.map((sigma) => sigma ** 2) });
  }
  await writeSafetensors(path, tensors);
}

function datasetTensors(part: string, { inputs, inputShape, labels, count }: ClassificationDataset) {
  return [
    [`${part}.inputs`, { dtype: 'U8', shape: [count, ...inputShape], data: bytesOf(inputs) }],
    [`${part}.labels`, { dtype: 'I32', shape: [count], data: labels }],
  ] as const satisfies [string, Tensor][];
}

function bytesOf(inputs: Samples['inputs']): Uint8Array {
  if (inputs instanceof Uint8Array) return inputs;
  throw new Error('internal: expected images of bytes');
}

function orderOf({ config: { seed, epochs } }: Job, { count }: Samples): Tensor {
  const rows = Math.min(epochs, epochsOfOrder);
  const data = new Int32Array(rows * count);
  for (let row = 0; row < rows; row++) data.set(epochBatches(createRandom(seed), row + 1, count, 1), row * count);
  return { dtype: 'I32', shape: [rows, count], data };
}

async function initialTensors({ network, config }: Job, train: ClassificationDataset): Promise<State> {
  const run = await TrainingRun.start(planNetwork(network), train, config, await nativeBackend());
  await run.release();
  return run.tensors;
}
