import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeBackend } from '../../training/backend/index.ts';
import { createRandom, epochBatches } from '../../training/data/index.ts';
import { batchNorm, dense, type Network, planNetwork, relu } from '../../training/network/index.ts';
import {
  createEvaluator,
  populationStatistics,
  train,
  type TrainingConfig,
  TrainingRun,
} from '../../training/trainer/index.ts';
import { twoClouds } from './samples.ts';
import { expectAllClose } from '../reference/close.ts';

const features = 6;
const network: Network = {
  name: 'clouds',
  inputShape: [features],
  inputNormalization: 'feature',
  layers: [dense(16), batchNorm(), relu(), dense(2)],
};
const plan = planNetwork(network);
const data = { train: twoClouds(1000, features, 1), validation: twoClouds(400, features, 2) };
const config: TrainingConfig = {
  epochs: 3,
  batchSize: 50,
  optimizer: 'adam',
  learningRate: 0.01,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 7,
};
const backend = await nativeBackend({ threads: 1 });

describe('training', () => {
  it('learns to tell two clouds apart nearly as well as can be', async () => {
    // The means are 2 √6 deviations apart, so the best classifier is right in Φ(√6) = 99.3 % of all cases.
    const { history } = await train(plan, data, config, backend);
    expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(history.at(-1)?.validation.score).toBeGreaterThan(0.97);
    expect(history[0]?.train.loss).toBeGreaterThan(history[2]?.train.loss ?? Infinity);
  });

  it.each(['adam', 'sgd'] as const)('with the same seed gives the same bits (%s)', async (optimizer) => {
    const [once, again] = await Promise.all(
      [1, 2].map(() => train(plan, data, { ...config, optimizer, epochs: 1 }, backend)),
    );
    expect([...(again?.tensors ?? [])]).toEqual([...(once?.tensors ?? [])]);
  });

  it('with another seed gives other weights', async () => {
    const weights = await Promise.all(
      [1, 2].map(async (seed) =>
        (await train(plan, data, { ...config, seed, epochs: 1 }, backend)).tensors.get('fc1.weight'),
      ),
    );
    expect(weights[0]).not.toEqual(weights[1]);
  });

  it('is the same in one call of many steps as in many calls of one', async () => {
    const order = epochBatches(createRandom(1), 1, data.train.count, config.batchSize);
    const [whole, parts] = [await start(), await start()];
    await whole.steps(order);
    for (let from = 0; from < order.length; from += config.batchSize)
      await parts.steps(order.subarray(from, from + config.batchSize));
    expect([...parts.tensors]).toEqual([...whole.tensors]);
    await Promise.all([whole.release(), parts.release()]);
  });

  it('goes on while a snapshot is saved, whose numbers stay as they were', async () => {
    const seen: string[] = [];
    let proceed: () => void = () => undefined;
    await train(plan, data, config, backend, {
      onProgress: ({ epoch }) => {
        seen.push(`step of epoch ${epoch}`);
        proceed();
      },
      onSnapshot: async ({ history, state }) => {
        const epoch = history.length;
        const before = structuredClone(state);
        if (epoch < config.epochs) await new Promise<void>((resolve) => (proceed = resolve));
        expect(state).toEqual(before);
        seen.push(`saved ${epoch}`);
      },
    });
    const places = ['step of epoch 2', 'saved 1', 'step of epoch 3', 'saved 2', 'saved 3'].map((what) =>
      seen.indexOf(what),
    );
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('stops in the next epoch when a snapshot cannot be saved, and says why', async () => {
    let steps = 0;
    const events = {
      onProgress: (progress: { steps: number }) => (steps = progress.steps),
      onSnapshot: () => Promise.reject(new Error('the disk is full')),
    };
    await expect(train(plan, data, { ...config, epochs: 30 }, backend, events)).rejects.toThrow('the disk is full');
    expect(steps).toBeLessThan(2 * (data.train.count / config.batchSize) + 1);
  });

  it('stops when the loss is no longer a number, and names the step and the learning rate', async () => {
    await expect(train(plan, data, { ...config, optimizer: 'sgd', learningRate: 1e30 }, backend)).rejects.toThrow(
      /^training: expected finite numbers, got loss (NaN|Infinity) and \S+ in layer fc1 \(fc1.weight\) at step \d+ \(epoch 1, learning rate 9.99e\+29\); try a lower --learning-rate or --clip-norm$/,
    );
  });
});

const start = () => TrainingRun.start(plan, data.train, config, backend);

describe('the running statistics', () => {
  const normalizing: Network = {
    name: 'bn',
    inputShape: [features],
    inputNormalization: 'feature',
    layers: [batchNorm(), dense(2)],
  };
  const bnPlan = planNetwork(normalizing);
  let run: TrainingRun;
  const order = epochBatches(createRandom(3), 1, data.train.count, config.batchSize);

  beforeAll(async () => {
    run = await TrainingRun.start(bnPlan, data.train, { ...config, bnMomentum: 0.8 }, backend);
    await run.steps(order);
  });
  afterAll(() => run.release());

  it('are the exponentially weighted average of the mini-batches’ mean and population variance', () => {
    const expected = averageInFloat64(order, 0.8);
    expectAllClose('bn1.running_mean', run.tensors.get('bn1.running_mean')?.data, expected.mean, { atol: 1e-6 });
    expectAllClose('bn1.running_var', run.tensors.get('bn1.running_var')?.data, expected.variance, { atol: 1e-6 });
  });

  /** Computes running ← 0.8 running + 0.2 batch from (0, 1) over the normalized features, in float64. */
  function averageInFloat64(batches: Int32Array, momentum: number) {
    const value = (sample: number, feature: number) => {
      const [mu, sigma] = ['input.mean', 'input.std'].map((name) => run.tensors.get(name)?.data[feature] ?? NaN);
      return ((data.train.inputs[sample * features + feature] ?? NaN) - (mu ?? NaN)) / (sigma ?? NaN);
    };
    const columns = Array.from({ length: features }, (_, feature) => {
      let [mean, variance] = [0, 1];
      for (let from = 0; from < batches.length; from += config.batchSize) {
        const z = Array.from(batches.subarray(from, from + config.batchSize), (sample) => value(sample, feature));
        const mu = z.reduce((sum, v) => sum + v, 0) / z.length;
        const sigma2 = z.reduce((sum, v) => sum + (v - mu) ** 2, 0) / z.length;
        mean = momentum * mean + (1 - momentum) * mu;
        variance = momentum * variance + (1 - momentum) * sigma2;
      }
      return { mean, variance };
    });
    return { mean: columns.map(({ mean }) => mean), variance: columns.map(({ variance }) => variance) };
  }

  it('over the whole training set are its exact mean and population variance, whatever the mini-batches', async () => {
    // The input is normalized, so its population mean is 0 and its variance 1.
    const state = await populationStatistics(backend, bnPlan, run.tensors, data.train, 100);
    expectAllClose('bn1.running_mean', state.get('bn1.running_mean')?.data, new Array<number>(features).fill(0), {
      atol: 1e-6,
    });
    expectAllClose('bn1.running_var', state.get('bn1.running_var')?.data, new Array<number>(features).fill(1), {
      atol: 1e-5,
    });
  });

  it('make each answer independent of the other samples; mini-batch statistics do not', async () => {
    const samples = { ...data.validation, count: 64 };
    const answers = (mode: 'inference' | 'batchStatistics', batchSize: number) =>
      logits(bnPlan, run, samples, mode, batchSize);
    expectAllClose('answers', await answers('inference', 1), await answers('inference', 64), { atol: 1e-6 });
    const [alone, together] = [await answers('batchStatistics', 1), await answers('batchStatistics', 64)];
    expect(largestDifference(alone, [...together])).toBeGreaterThan(0.1);
    // Alone in its mini-batch, a sample has ẑ = 0 except for rounding, which 1 / √ε = 316 amplifies.
    const left = [...alone].filter((_, i) => i % 2 === 0);
    expect(Math.max(...left) - Math.min(...left)).toBeLessThan(1e-3);
  });
});

async function logits(
  ...[of, run, samples, mode, batchSize]: [
    typeof plan,
    TrainingRun,
    typeof data.train,
    'inference' | 'batchStatistics',
    number,
  ]
): Promise<Float32Array> {
  const evaluator = await createEvaluator(backend, of, { mode, batchSize });
  const result = await evaluator.logits(run.tensors, samples);
  await evaluator.release();
  return result;
}

function largestDifference(got: Float32Array, expected: readonly number[]): number {
  return got.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (expected[i] ?? NaN))), 0);
}
