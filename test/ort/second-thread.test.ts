/** Compiled steps on two threads equal those on one, and a run whose second thread dies is saved and can be resumed. */
import type { Worker } from 'node:worker_threads';
import { afterEach, expect, it, vi } from 'vitest';
import { type Backend, nativeBackend } from '../../training/backend/index.ts';
import type { Dataset } from '../../training/data/index.ts';
import { batchNorm, dense, type Network, planNetwork, relu } from '../../training/network/index.ts';
import { type Snapshot, type State, ThreadEnded, train, type TrainingConfig } from '../../training/trainer/index.ts';
import { noteOnEngine } from '../../training/run/measure-steppers.ts';
import { range } from '../reference/ndarray.ts';
import { seeded } from '../reference/random.ts';

/** This network is large enough for two threads. */
const network: Network = {
  name: 'wide',
  inputShape: [64],
  inputNormalization: 'feature',
  layers: [dense(320), batchNorm(), relu(), dense(64), batchNorm(), relu(), dense(3)],
};
const plan = planNetwork(network);
const config: TrainingConfig = {
  epochs: 4,
  batchSize: 48,
  optimizer: 'adam',
  learningRate: 0.01,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 1,
};

function samples(count: number): Dataset {
  const random = seeded(count);
  const inputs = Float32Array.from(range(64 * count), () => random() - 0.5);
  const labels = Int32Array.from(range(count), (i) => Math.floor(2 + 2 * (inputs[64 * i] ?? 0)));
  return { task: 'classification', inputs, inputShape: [64], count, labels, classes: ['a', 'b', 'c'] };
}
const data = { train: samples(200), validation: samples(40) };

const started: Worker[] = [];
process.on('worker', (worker) => started.push(worker));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  started.length = 0;
});

const bitsOf = (state: State) => [...state].map(([name, { data: numbers }]) => [name, numbers]);
const trained = async (backend: Backend) => bitsOf((await train(plan, data, config, backend)).tensors);

it('one thread and two give the same bits, and so does one where no memory can be shared', async () => {
  const two = await trained(await nativeBackend({ threads: 2 }));
  expect(started).toHaveLength(1);
  const one = await trained(await nativeBackend({ threads: 1 }));
  vi.stubGlobal('SharedArrayBuffer', undefined);
  const without = await trained(await nativeBackend({ threads: 2 }));
  expect(started).toHaveLength(1);
  expect(one).toEqual(two);
  expect(without).toEqual(two);
});

it('a run whose second thread ends is saved, and goes on to the bits of one that was left alone', async () => {
  const backend = await nativeBackend({ threads: 2 });
  const snapshots: Snapshot[] = [];
  const lost = train(plan, data, config, backend, {
    onSnapshot: (snapshot) => {
      snapshots.push(snapshot);
      return Promise.resolve();
    },
    onEvaluated: async () => {
      if (snapshots.length === 1) await Promise.all(started.map((worker) => worker.terminate()));
    },
  });
  await expect(lost).rejects.toThrow(ThreadEnded);
  const last = snapshots.at(-1);
  // There are four steps in each epoch, and none in the third.
  expect(last?.steps).toBe(8);
  expect(last?.history).toHaveLength(2);
  const { tensors } = await train(plan, data, config, backend, {}, { snapshot: last });
  expect(bitsOf(tensors)).toEqual(await trained(backend));
});

it('an interruption is noticed between two calls, on one thread as on two', async () => {
  for (const threads of [1, 2]) {
    const controller = new AbortController();
    const onProgress = () =>
      void setImmediate(() => {
        controller.abort();
      });
    const { signal } = controller;
    const backend = await nativeBackend({ threads });
    const long = { ...data, train: samples(4800) };
    const { steps, interrupted } = await train(plan, long, config, backend, { onProgress }, { signal });
    expect(interrupted).toBe(true);
    // An epoch has a hundred steps: only those of the first call and of the call that had begun are taken.
    expect(steps).toBeLessThan(50);
  }
});

it('memory that cannot be shared is told once, where two threads would run', async () => {
  const notes = async (threads: number) => {
    const told: string[] = [];
    noteOnEngine(await nativeBackend({ threads }), (line) => told.push(line));
    return told;
  };
  expect(await notes(2)).toEqual([]);
  vi.stubGlobal('SharedArrayBuffer', undefined);
  expect(await notes(2)).toEqual(['this Node has no SharedArrayBuffer: compiled steps run on one thread']);
  expect(await notes(1)).toEqual([]);
});
