import { describe, expect, test } from 'vitest';
import { nativeBackend } from '../../training/backend/index.ts';
import type { ClassificationDataset } from '../../training/data/index.ts';
import type { Tensor } from '../../training/graph/index.ts';
import { batchNorm, dense, type Network, planNetwork, relu } from '../../training/network/index.ts';
import { populationStatistics, type State, train, type TrainingConfig } from '../../training/trainer/index.ts';
import { expectAllClose } from '../reference/close.ts';
import { range } from '../reference/ndarray.ts';
import { seeded } from '../reference/random.ts';

const network: Network = {
  name: 'small',
  inputShape: [4],
  inputNormalization: 'feature',
  layers: [dense(6), batchNorm(), relu(), dense(3)],
};
const plan = planNetwork(network);
const backend = await nativeBackend({ threads: 1 });
const base: TrainingConfig = {
  epochs: 2,
  batchSize: 8,
  optimizer: 'adam',
  learningRate: 0.01,
  schedule: 'constant',
  bnMomentum: 0.9,
  seed: 3,
};

const dataset = classes(32);

/** Draws three classes that lie around three corners. */
function classes(count: number): ClassificationDataset {
  const random = seeded(5);
  const labels = Int32Array.from(range(count), (i) => i % 3);
  const inputs = Float32Array.from(range(count * 4), (i) => random() + (i % 4 === labels[Math.floor(i / 4)] ? 2 : 0));
  return { task: 'classification', inputs, inputShape: [4], count, labels, classes: ['a', 'b', 'c'] };
}

async function trained(changes: Partial<TrainingConfig>, start?: State): Promise<State> {
  const data = { train: dataset, validation: dataset };
  const { tensors } = await train(plan, data, { ...base, ...changes }, backend, {}, { tensors: start });
  return tensors;
}

function expectEqual(name: string, actual: State, expected: State): void {
  const [a, b] = [actual.get(name), expected.get(name)];
  if (!b) throw new Error(`expected a tensor ${name}`);
  expect(a?.shape).toEqual(b.shape);
  expectAllClose(name, a?.data, b.data, { rtol: 1e-6 });
}

const filled = (size: number, value: number): Tensor<'float32'> => ({
  dtype: 'float32',
  shape: [size],
  data: new Float32Array(size).fill(value),
});

describe('running statistics in training', () => {
  /** The steps are too small to change the network while its statistics are averaged. */
  const still = { learningRate: 1e-20, optimizer: 'sgd', epochs: 1 } as const;

  test('with momentum none are the mean over all mini-batches, whatever they were', async () => {
    const fresh = await trained(still);
    const raw = new Map([...fresh, ['input.mean', filled(4, 0)], ['bn1.running_mean', filled(6, 999)]]);
    const averaged = await trained({ ...still, bnMomentum: 'none' }, raw);
    expectEqual('bn1.running_mean', averaged, await populationStatistics(backend, plan, averaged, dataset));
  });

  test('unbiased are m / (m − 1) times the population variance', async () => {
    const population = await trained({ ...still, bnMomentum: 0 });
    const unbiased = await trained({ ...still, bnMomentum: 0, bnVariance: 'unbiased' });
    const ratios = unbiased
      .get('bn1.running_var')
      ?.data.map((v, i) => v / (population.get('bn1.running_var')?.data[i] ?? NaN));
    expectAllClose('ratios', ratios, Array<number>(6).fill(8 / 7), { rtol: 1e-6 });
    expect(unbiased.get('bn1.running_mean')).toEqual(population.get('bn1.running_mean'));
  });

  test('are replaced by those of a pass over the training set when that is asked for', async () => {
    const running = await trained({});
    const population = await trained({ statistics: 'population' });
    expect(population).toEqual(await populationStatistics(backend, plan, running, dataset));
    expect(population.get('bn1.running_var')).not.toEqual(running.get('bn1.running_var'));
    expect(population.get('fc1.weight')).toEqual(running.get('fc1.weight'));
  });
});

describe('frozen Batch Norm', () => {
  test('keeps the statistics of the start bit for bit and trains γ and β', async () => {
    const start = await trained({});
    const tuned = await trained({ freezeBn: true }, start);
    for (const name of ['bn1.running_mean', 'bn1.running_var', 'input.mean', 'input.std'])
      expect(tuned.get(name)).toEqual(start.get(name));
    for (const name of ['bn1.weight', 'bn1.bias', 'fc1.weight']) expect(tuned.get(name)).not.toEqual(start.get(name));
  });

  test('is refused for fresh tensors', async () => {
    await expect(trained({ freezeBn: true })).rejects.toThrow(
      'training: expected a checkpoint to freeze the running statistics of, got fresh ones',
    );
  });
});

describe('the average of the weights', () => {
  test('equals the weights when nothing old is kept', async () => {
    expect(await trained({ ema: 0 })).toEqual(await trained({}));
  });

  test('differs from them otherwise, and does not change how they are trained', async () => {
    const averaged = await trained({ ema: 0.9 });
    expect(averaged.get('fc1.weight')).not.toEqual((await trained({})).get('fc1.weight'));
    expect(averaged.get('input.mean')).toEqual((await trained({})).get('input.mean'));
  });
});

describe('weight decay', () => {
  test('draws weights to zero, and not γ and biases', async () => {
    const norm = (state: State, name: string) => Math.hypot(...(state.get(name)?.data ?? []));
    const options = { optimizer: 'adamw', learningRate: 1e-4, epochs: 1 } as const;
    const [free, decayed] = [await trained(options), await trained({ ...options, weightDecay: 1000 })];
    expect(norm(decayed, 'fc1.weight')).toBeLessThan(0.7 * norm(free, 'fc1.weight'));
    expect(norm(decayed, 'bn1.weight')).toBeGreaterThan(0.99 * norm(free, 'bn1.weight'));
  });
});
