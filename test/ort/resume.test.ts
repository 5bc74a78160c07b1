/** A run that is interrupted, saved, loaded and resumed ends with the bits of one that never stopped. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeBackend } from '../../training/backend/index.ts';
import {
  batchNorm,
  dense,
  dropout,
  heads,
  members,
  type Network,
  planNetwork,
  relu,
} from '../../training/network/index.ts';
import { multiclass } from '../../training/objective/index.ts';
import { type OptimizerName, optimizers } from '../../training/optimizer/index.ts';
import { loadSnapshot, type RunDescription, saveSnapshot } from '../../training/run/snapshot-file.ts';
import { type Snapshot, train, type TrainingConfig, type TrainingResult } from '../../training/trainer/index.ts';
import { twoClouds } from './samples.ts';

const network: Network = {
  name: 'clouds',
  inputShape: [6],
  inputNormalization: 'feature',
  layers: [members(3), dense(16), batchNorm(), relu(), dropout(0.3), heads(2)],
};
const plan = planNetwork(network);
const data = { train: twoClouds(1000, 6, 1), validation: twoClouds(200, 6, 2) };
const base: TrainingConfig = {
  epochs: 4,
  batchSize: 20,
  optimizer: 'adam',
  learningRate: 0.01,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 7,
};
const backend = await nativeBackend({ threads: 1 });
const { engine } = backend;
const stepsPerEpoch = data.train.count / base.batchSize;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

const describeRun = (config: TrainingConfig): RunDescription => ({
  network,
  data: { name: 'clouds', train: data.train.count, validation: data.validation.count, test: 0 },
  sha256: '',
  config: { ...config, objective: config.objective ?? multiclass() },
});

/** Trains until the first report at or after a step, and saves. */
async function trainUntil(
  step: number,
  config: TrainingConfig,
  path: string,
  from?: Snapshot,
): Promise<TrainingResult> {
  const interruption = new AbortController();
  const events = {
    onProgress: ({ steps }: { steps: number }) => {
      if (steps >= step) interruption.abort('SIGINT');
    },
    onSnapshot: (snapshot: Snapshot) => saveSnapshot(path, describeRun(config), { snapshot, engine }),
  };
  return train(plan, data, config, backend, events, { snapshot: from, signal: interruption.signal });
}

const load = async (path: string, config: TrainingConfig) =>
  (await loadSnapshot(path, plan, describeRun(config))).snapshot;

describe('a run that stops twice', () => {
  it.each<[string, Partial<TrainingConfig>]>([
    ...(Object.keys(optimizers) as OptimizerName[]).map((optimizer): [string, Partial<TrainingConfig>] => [
      `with ${optimizer}`,
      { optimizer },
    ]),
    ['with another share of the velocity', { optimizer: 'nesterov', momentum: 0.8, schedule: 'one-cycle' }],
    ['with clipped gradients and weight decay', { optimizer: 'adamw', clipNorm: 1, weightDecay: 0.01 }],
    ['that averages its weights', { ema: 0.99 }],
    ['with cumulative running statistics', { bnMomentum: 'none', bnVariance: 'unbiased' }],
    ['that keeps its best epoch', { keep: 'best', learningRate: 0.3 }],
    ['with statistics of the whole training set', { statistics: 'population' }],
  ])('%s ends as if it had not', async (name, changes) => {
    const config = { ...base, ...changes };
    const path = join(folder, `${name}.safetensors`);
    const whole = await train(plan, data, config, backend);
    const first = await trainUntil(10, config, path);
    expect(first.interrupted).toBe(true);
    expect(first.steps).toBeLessThan(stepsPerEpoch);
    await trainUntil(2 * stepsPerEpoch + 10, config, path, await load(path, config));
    const rest = await train(plan, data, config, backend, {}, { snapshot: await load(path, config) });
    expect(rest).toEqual(whole);
  });

  it('ends where it would have stopped early, with the best epoch', async () => {
    const config = { ...base, epochs: 50, learningRate: 0.1, earlyStopping: 2 };
    const path = join(folder, 'early.safetensors');
    const whole = await train(plan, data, config, backend);
    const losses = whole.history.map(({ validation }) => validation.loss);
    expect(losses.length).toBeLessThan(50);
    expect(Math.min(...losses)).toBe(losses.at(-3));
    await trainUntil((losses.length - 1) * stepsPerEpoch + 1, config, path);
    const snapshot = await load(path, config);
    expect([...(snapshot.best ?? [])]).toEqual([...whole.tensors]);
    expect(await train(plan, data, config, backend, {}, { snapshot })).toEqual(whole);
  });

  it('is refused under another configuration, by the first setting that differs', async () => {
    const path = join(folder, 'other.safetensors');
    await trainUntil(1, base, path);
    await expect(load(path, { ...base, learningRate: 0.02 })).rejects.toThrow(
      `${path}: expected config.learningRate 0.01, as the run was started with, got 0.02; leave out --resume to start over`,
    );
    await expect(load(path, { ...base, ema: 0.9 })).rejects.toThrow('expected config.ema none, as');
  });

  it('goes on where its data are called otherwise, and not where they are others', async () => {
    const path = join(folder, 'renamed.safetensors');
    const of = (name: string, label: string, sha256: string): RunDescription => {
      const run = describeRun(base);
      const source = { path: `${name}.npy`, label };
      return { ...run, network: { ...network, name }, sha256, data: { ...run.data, name, source } };
    };
    const onSnapshot = (snapshot: Snapshot) => saveSnapshot(path, of('x', 'y.npy', 'a'), { snapshot, engine });
    await train(plan, data, { ...base, epochs: 1 }, backend, { onSnapshot });
    await expect(loadSnapshot(path, plan, of('inputs', 'labels.npy', 'a'))).resolves.toMatchObject({ engine });
    await expect(loadSnapshot(path, plan, of('inputs', 'y.npy', 'b'))).rejects.toThrow(
      'expected the samples that the run was started with, got others;',
    );
    await expect(loadSnapshot(path, plan, of('x', 'labels.npy', 'b'))).rejects.toThrow(
      'expected data.source.label "y.npy", as the run',
    );
  });
});

describe('numbers that are no longer finite', () => {
  it('are found in the state, where the loss does not show them', async () => {
    // With an infinite second moment Adam's parameter does not move, and the loss stays finite.
    const path = join(folder, 'infinite.safetensors');
    await trainUntil(1, base, path);
    const snapshot = await load(path, base);
    snapshot.state.get('heads1.weight/exp_avg_sq')?.data.fill(Infinity, 3, 4);
    const step = snapshot.steps + 1;
    await expect(train(plan, data, base, backend, {}, { snapshot })).rejects.toThrow(
      new RegExp(
        `^training: expected finite numbers, got loss 0\\.\\d+ and Infinity in layer heads1 \\(heads1.weight/exp_avg_sq\\) at step ${step} \\(epoch 1, learning rate 0.00\\d+\\); `,
      ),
    );
  });
});
