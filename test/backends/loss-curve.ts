/**
 * Computes the first steps of a training run on real MNIST, to compare backends by the same data, order and initial
 * weights.
 */
import type { Backend } from '../../training/backend/index.ts';
import {
  type ClassificationDataset,
  createRandom,
  epochBatches,
  loadMnist,
  subset,
} from '../../training/data/index.ts';
import { type Network, planNetwork } from '../../training/network/index.ts';
import type { OptimizerName } from '../../training/optimizer/index.ts';
import { type TrainingConfig, TrainingRun } from '../../training/trainer/index.ts';

export interface Curve {
  readonly steps: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
}

/** Returns the mini-batch's mean cross-entropy at each step. */
export async function lossCurve(
  backend: Backend,
  network: Network,
  dataset: ClassificationDataset,
  { steps, ...options }: Curve,
): Promise<readonly number[]> {
  const config: TrainingConfig = {
    epochs: 1,
    schedule: 'cosine',
    bnMomentum: 0.9,
    seed: 1,
    ...options,
  };
  const { batchSize } = config;
  const run = await TrainingRun.start(planNetwork(network), dataset, config, backend);
  const order = epochBatches(createRandom(config.seed), 1, dataset.count, batchSize);
  // The steps are divided into two calls, so that the state is carried both within a call and between calls.
  const half = Math.ceil(steps / 2) * batchSize;
  const parts = [order.subarray(0, half), order.subarray(half, steps * batchSize)];
  const losses: number[] = [];
  for (const part of parts) losses.push(...(await run.steps(part)).loss);
  await run.release();
  return losses;
}

/** Loads the first images of the training set; by default all. */
export async function mnistImages(count?: number): Promise<ClassificationDataset> {
  const { train } = await loadMnist({ seed: 1 });
  return subset(
    train,
    Int32Array.from({ length: count ?? train.count }, (_, i) => i),
  );
}
