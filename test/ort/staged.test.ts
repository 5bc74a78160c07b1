/** Steps that are cut at their products lead to the same state as whole ones, and to the same bits every time. */
import { afterAll, describe, expect, it } from 'vitest';
import { nativeBackend, type NativeOptions } from '../../training/backend/index.ts';
import { createRandom, epochBatches } from '../../training/data/index.ts';
import {
  batchNorm,
  conv2d,
  dense,
  dropout,
  flatten,
  maxPool,
  type Network,
  planNetwork,
  relu,
} from '../../training/network/index.ts';
import { type State, type TrainingConfig, TrainingRun } from '../../training/trainer/index.ts';
import { twoClouds } from './samples.ts';
import { expectAllClose } from '../reference/close.ts';

/** This network is large enough to be cut. */
const network: Network = {
  name: 'pictures',
  inputShape: [1, 16, 16],
  inputNormalization: 'channel',
  layers: [
    ...[conv2d(16, { kernel: 3, padding: 1 }), batchNorm(), relu(), maxPool(2)],
    ...[conv2d(16, { kernel: 3, padding: 1 }), batchNorm(), relu(), maxPool(2)],
    ...[flatten(), dropout(0.25), dense(2)],
  ],
};
const batchSize = 64;
const config: TrainingConfig = {
  epochs: 1,
  batchSize,
  optimizer: 'adam',
  learningRate: 0.01,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 3,
};
const samples = { ...twoClouds(6 * batchSize, 256, 1), inputShape: network.inputShape };
const order = epochBatches(createRandom(3), 1, samples.count, batchSize);
const plan = planNetwork(network);

const runs: TrainingRun[] = [];
afterAll(() => Promise.all(runs.map((run) => run.release())));

const kept = (run: TrainingRun): TrainingRun => {
  runs.push(run);
  return run;
};

async function trained(options: NativeOptions, steps = 6) {
  const run = kept(await TrainingRun.start(plan, samples, config, await nativeBackend(options)));
  const { loss } = await run.steps(order.subarray(0, steps * batchSize));
  return { loss, state: run.state, steps };
}

/** Both are float32 and add in different orders; over six steps Adam amplifies differences near zero. */
const tolerance = { rtol: 1e-4, ofLargest: 5e-5 };

function expectClose(got: State, expected: State): void {
  for (const [name, { data }] of expected) {
    expectAllClose(name, got.get(name)?.data, data, tolerance);
  }
}

describe.each([1, 2])('steps that are cut at their products, on %i threads', (threads) => {
  it('give the losses and the state of steps that are not', async () => {
    const [cut, whole] = [await trained({ threads }), await trained({ threads, cut: false })];
    expect(cut.loss).not.toEqual(whole.loss);
    cut.loss.forEach((loss, i) => {
      expect(Math.abs(loss - (whole.loss[i] ?? NaN))).toBeLessThan(1e-3);
    });
    expectClose(cut.state, whole.state);
  });

  it('give the same bits again, also where a run goes on in the middle', async () => {
    const [once, again, half] = [await trained({ threads }), await trained({ threads }), await trained({ threads }, 3)];
    expect(again.state).toEqual(once.state);
    const run = kept(await TrainingRun.resume(plan, samples, config, await nativeBackend({ threads }), half));
    await run.steps(order.subarray(3 * batchSize));
    expect(run.state).toEqual(once.state);
  });
});
