/**
 * A network with every kind of layer trains, and its inference does not depend on the other samples in the mini-batch.
 */
import { describe, expect, test } from 'vitest';
import { nativeBackend } from '../../training/backend/index.ts';
import type { ClassificationDataset } from '../../training/data/index.ts';
import {
  averagePool,
  batchNorm,
  conv2d,
  dense,
  dropout,
  flatten,
  gelu,
  globalAveragePool,
  heads,
  type Layer,
  layerNorm,
  layersOf,
  leakyRelu,
  maxPool,
  members,
  planNetwork,
  relu,
  residual,
  sigmoid,
  softmax,
  tanh,
} from '../../training/network/index.ts';
import { layerRules } from '../../training/network/rules/index.ts';
import { createEvaluator, train, type TrainingConfig } from '../../training/trainer/index.ts';
import { range } from '../reference/ndarray.ts';
import { seeded } from '../reference/random.ts';

const backend = await nativeBackend({ threads: 1 });

/** Draws two classes of noisy 8 × 8 images: bright in the upper or in the lower half. */
function images(count: number): ClassificationDataset {
  const random = seeded(9);
  const labels = Int32Array.from(range(count), (i) => i % 2);
  const inputs = Uint8Array.from(range(count * 64), (i) => {
    const upper = i % 64 < 32;
    return 100 * random() + (upper === (labels[Math.floor(i / 64)] === 1) ? 80 : 0);
  });
  return { task: 'classification', inputs, inputShape: [1, 8, 8], count, labels, classes: ['below', 'above'] };
}

const convolutional: readonly Layer[] = [
  conv2d(4, { kernel: 3, padding: 1 }),
  batchNorm(),
  gelu(),
  conv2d(8, { kernel: 3, padding: 2, dilation: 2, groups: 2 }),
  batchNorm(),
  leakyRelu(),
  maxPool(2),
  residual([conv2d(8, { kernel: 3, padding: 1 }), batchNorm(), relu()]),
  residual([conv2d(4, { kernel: 3, padding: 1, stride: 2 }), layerNorm()], {
    shortcut: [averagePool(2), conv2d(4, { kernel: 1 }), batchNorm()],
  }),
  tanh(),
  globalAveragePool(),
  dense(2),
];
const dense1d: readonly Layer[] = [
  flatten(),
  dense(16),
  layerNorm(),
  sigmoid(),
  dropout(0.2),
  dense(16),
  softmax(),
  dense(8),
  batchNorm(),
  relu(),
  dense(2),
];

const ensemble: readonly Layer[] = [
  flatten(),
  members(4),
  dense(16),
  batchNorm(),
  relu(),
  dropout(0.1),
  dense(8),
  relu(),
  heads(2),
];

const config: TrainingConfig = {
  epochs: 4,
  batchSize: 16,
  optimizer: 'adam',
  learningRate: 0.02,
  schedule: 'one-cycle',
  bnMomentum: 0.8,
  seed: 1,
};

const planOf = (layers: readonly Layer[]) =>
  planNetwork({ name: 'net', inputShape: [1, 8, 8], inputNormalization: 'channel', layers });

test('every kind of layer is in one of the networks', () => {
  const kinds = [convolutional, dense1d, ensemble].flatMap((layers) =>
    layersOf(planOf(layers)).map(({ layer }) => layer.kind),
  );
  expect(new Set<string>(kinds)).toEqual(new Set(Object.keys(layerRules)));
});

describe.each([
  ['a convolutional network', convolutional],
  ['a dense network', dense1d],
  ['a network of members', ensemble],
])('%s of every layer', (_about, layers) => {
  const plan = planOf(layers);
  const data = { train: images(128), validation: images(64) };

  test('learns, the same each time, and answers each sample alone', async () => {
    const [first, second] = [await train(plan, data, config, backend), await train(plan, data, config, backend)];
    expect(first.history.at(-1)?.validation.score).toBeGreaterThan(0.95);
    expect(second.tensors).toEqual(first.tensors);

    const together = await createEvaluator(backend, plan, { batchSize: 64 });
    const alone = await createEvaluator(backend, plan, { batchSize: 1 });
    const [a, b] = [
      await together.logits(first.tensors, data.validation),
      await alone.logits(first.tensors, data.validation),
    ];
    a.forEach((logit, i) => {
      expect(Math.abs(logit - (b[i] ?? NaN))).toBeLessThan(1e-4);
    });
    await Promise.all([together.release(), alone.release()]);
  });
});
