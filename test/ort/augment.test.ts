/**
 * Training on augmented pictures is recorded, repeats to the bit wherever it stops, and is refused where it makes no
 * sense.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeBackend } from '../../training/backend/index.ts';
import { loadModel } from '../../training/checkpoint/index.ts';
import { type ClassificationDataset, createRandom, encodeNpz } from '../../training/data/index.ts';
import { batchNorm, conv2d, dense, flatten, planNetwork, relu } from '../../training/network/index.ts';
import { trainToFolder } from '../../training/run/index.ts';
import { type Snapshot, train, type TrainingConfig, type TrainingResult } from '../../training/trainer/index.ts';

const backend = await nativeBackend({ threads: 1 });
const plan = planNetwork({
  name: 'small',
  inputShape: [1, 8, 8],
  inputNormalization: 'channel',
  layers: [conv2d(4, { kernel: 3 }), batchNorm(), relu(), flatten(), dense(2)],
});

/** Draws stripes across or down, with noise. */
function stripes(count: number, seed: number): ClassificationDataset {
  const random = createRandom(seed);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const inputs = Uint8Array.from({ length: count * 64 }, (_, i) => {
    const place = labels[Math.floor(i / 64)] === 0 ? i % 8 : Math.floor(i / 8) % 8;
    return 120 + (place % 4 < 2 ? 80 : 0) + 40 * random.uniform();
  });
  return { task: 'classification', inputs, inputShape: [1, 8, 8], count, labels, classes: ['across', 'down'] };
}

const data = { train: stripes(2000, 1), validation: stripes(40, 2) };
const config: TrainingConfig = {
  epochs: 3,
  batchSize: 20,
  optimizer: 'adam',
  learningRate: 0.01,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 7,
  augment: { flip: true, shift: 0.1, rotate: 5 },
};

/** Trains until the first report at or after a step. */
async function trainUntil(step: number, from?: Snapshot): Promise<{ result: TrainingResult; snapshot: Snapshot }> {
  const interruption = new AbortController();
  const snapshots: Snapshot[] = [];
  const events = {
    onProgress: ({ steps }: { steps: number }) => {
      if (steps >= step) interruption.abort('SIGINT');
    },
    onSnapshot: (snapshot: Snapshot) => Promise.resolve(void snapshots.push(snapshot)),
  };
  const result = await train(plan, data, config, backend, events, { snapshot: from, signal: interruption.signal });
  const snapshot = snapshots.at(-1);
  if (!snapshot) throw new Error('internal: no snapshot');
  return { result, snapshot };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-augment-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('training on augmented pictures', () => {
  it('ends with the same bits after stops in the middle of epochs', async () => {
    const whole = await train(plan, data, config, backend);
    const first = await trainUntil(30);
    const second = await trainUntil(130, first.snapshot);
    const third = await trainUntil(Infinity, second.snapshot);
    expect([first.result.steps, second.result.steps, third.result.steps]).toEqual([
      expect.toSatisfy((steps) => steps < 100),
      expect.toSatisfy((steps) => steps > 100 && steps < 200),
      300,
    ]);
    expect(third.result.tensors).toEqual(whole.tensors);
    expect(third.result.history).toEqual(whole.history);
  });

  it('is another training than that on the pictures as they are', async () => {
    const { augment: _, ...plain } = config;
    const [changed, unchanged] = [await train(plan, data, config, backend), await train(plan, data, plain, backend)];
    expect(changed.history[0]?.train.loss).not.toBe(unchanged.history[0]?.train.loss);
  });

  const runOn = async (name: string, shape: number[]) => {
    const path = join(folder, `${name}.npz`);
    const { inputs, labels } = stripes(200, 3);
    const arrays = { x: { shape: [200, ...shape], data: inputs }, y: { shape: [200], data: labels } };
    await writeFile(path, encodeNpz(arrays));
    const { epochs: _, augment: __, ...rest } = config;
    return trainToFolder({
      data: { path },
      config: { ...rest, epochs: 1 },
      augment: 'all',
      hidden: [8],
      backend: 'native',
      threads: 1,
      out: join(folder, name),
    });
  };

  it('is recorded in the checkpoint', async () => {
    const { checkpoint } = await runOn('recorded', [8, 8]);
    const all = { flip: true, shift: 0.125, crop: 0.8, rotate: 10 };
    expect((await loadModel(checkpoint)).record?.config.augment).toEqual(all);
  });

  it('is refused for rows of numbers', async () => {
    await expect(runOn('rows', [64])).rejects.toThrow('--augment: expected pictures to change, got samples [64]');
  });
});
