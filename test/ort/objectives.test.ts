import { describe, expect, test } from 'vitest';
import { nativeBackend } from '../../training/backend/index.ts';
import type { ClassificationDataset, Dataset, RegressionDataset } from '../../training/data/index.ts';
import { batchNorm, dense, type Layer, planNetwork, relu } from '../../training/network/index.ts';
import { binary, huber, mse, multiclass, type Objective, reportOn } from '../../training/objective/index.ts';
import { bestEpoch, createEvaluator, train, type TrainingConfig } from '../../training/trainer/index.ts';
import { range } from '../reference/ndarray.ts';
import { twoClouds } from './samples.ts';

const backend = await nativeBackend({ threads: 1 });
const config: TrainingConfig = {
  epochs: 8,
  batchSize: 32,
  optimizer: 'adam',
  learningRate: 0.02,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 2,
};
const hidden: readonly Layer[] = [dense(16), batchNorm(), relu()];

/** Gives each point of the clouds a number: |x₁| + x₂ of the centred features. */
function numbers(clouds: ClassificationDataset): RegressionDataset {
  const { inputs, inputShape, count } = clouds;
  const feature = (sample: number, i: number) => ((inputs[sample * 4 + i] ?? NaN) - 10) / 3;
  const values = Float32Array.from(range(count), (sample) => Math.abs(feature(sample, 0)) + feature(sample, 1));
  return { task: 'regression', inputs, inputShape, count, values };
}

async function metricsOf(objective: Objective, outputs: number, prepare: (clouds: ClassificationDataset) => Dataset) {
  const [training, validation] = [prepare(twoClouds(640, 4, 1)), prepare(twoClouds(320, 4, 2))];
  const network = { name: 'net', inputShape: [4], inputNormalization: 'feature' } as const;
  const plan = planNetwork({ ...network, layers: [...hidden, dense(outputs)] });
  const data = { train: training, validation };
  const { tensors, history } = await train(plan, data, { ...config, objective }, backend);
  const evaluator = await createEvaluator(backend, plan);
  const report = reportOn(validation, await evaluator.logits(tensors, validation));
  await evaluator.release();
  return { metrics: report.metrics, kept: history[bestEpoch(history) - 1] };
}

describe('training for', () => {
  test.each([
    ['two classes by two logits', multiclass(), 2],
    [
      'two classes by two logits, smoothed and weighted',
      multiclass({ labelSmoothing: 0.1, classWeights: [0.5, 1.5] }),
      2,
    ],
    ['two classes by one logit', binary(), 1],
  ] as const)('%s', async (_about, objective, outputs) => {
    const { metrics, kept } = await metricsOf(objective, outputs, (clouds) => clouds);
    // The means are 4 deviations apart, so the best classifier is right in Φ(2) = 97.7 % of all cases.
    expect(metrics.accuracy).toBeGreaterThan(0.93);
    expect(metrics.AUC).toBeGreaterThan(0.97);
    expect(kept?.validation.score).toBe(metrics.accuracy);
    expect(kept?.train.score).toBeGreaterThan(0.93);
  });

  test.each([mse(), huber(0.5)])('numbers by $kind', async (objective) => {
    const { metrics, kept } = await metricsOf(objective, 1, numbers);
    expect(metrics['R²']).toBeGreaterThan(0.95);
    expect(kept?.validation.score).toBe(metrics.RMSE);
    expect(kept?.train.score).toBeLessThan(0.5);
  });
});
