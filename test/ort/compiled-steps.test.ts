/** Compiled steps of small networks equal those of ONNX Runtime up to rounding, and are the same bits every time. */
import { describe, expect, it } from 'vitest';
import { type Backend, nativeBackend } from '../../training/backend/index.ts';
import { createRandom, epochBatches, type Dataset } from '../../training/data/index.ts';
import {
  batchNorm,
  conv2d,
  dense,
  dropout,
  encodeCategories,
  encodeNumbers,
  flatten,
  heads,
  members,
  type Network,
  planNetwork,
  relu,
} from '../../training/network/index.ts';
import { type State, stepRecord, type TrainingConfig, TrainingRun } from '../../training/trainer/index.ts';
import { range } from '../reference/ndarray.ts';
import { seeded } from '../reference/random.ts';

const batchSize = 16;
const config: TrainingConfig = {
  epochs: 4,
  batchSize,
  optimizer: 'adam',
  learningRate: 0.01,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 1,
};
const hidden = [dense(24), batchNorm(), relu(), dense(12), batchNorm(), relu()];
const net = (layers: Network['layers'], inputShape: readonly number[] = [6]): Network => ({
  name: 'net',
  inputShape,
  inputNormalization: 'feature',
  layers,
});

function samples(inputShape: readonly number[] = [6], task: Dataset['task'] = 'classification'): Dataset {
  const random = seeded(7);
  const count = 130;
  const size = inputShape.reduce((a, b) => a * b, 1);
  const inputs = Float32Array.from(range(count * size), () => 4 * random() - 2);
  const sum = (i: number) => inputs.subarray(i * size, (i + 1) * size).reduce((a, b) => a + b, 0);
  const all = { inputs, inputShape, count };
  if (task === 'regression') return { ...all, task, values: Float32Array.from(range(count), sum) };
  const labels = Int32Array.from(range(count), (i) => (sum(i) > 1 ? 2 : sum(i) > -1 ? 1 : 0));
  return { ...all, task, labels, classes: ['low', 'middle', 'high'] };
}

/** Replaces the numbers of these columns with indices of so many categories. */
function withCategories(dataset: Dataset, categories: Readonly<Record<number, number>>): Dataset {
  const inputs = Float32Array.from(dataset.inputs, (x, i) => {
    const count = categories[i % 6];
    return count === undefined ? x : Math.floor(((x + 2) / 4) * count);
  });
  return { ...dataset, inputs };
}

function pictures(): Dataset {
  const dataset = samples([1, 5, 5]);
  return { ...dataset, inputs: Uint8Array.from(dataset.inputs, (x) => 60 * x + 128) };
}

const order = (epoch: number): Int32Array => epochBatches(createRandom(1), epoch, 130, batchSize);

/** Returns the native backend twice: with the compiled step, and with ONNX Runtime's Loop of the whole step. */
async function backends(): Promise<Readonly<Record<'compiled' | 'loop', Backend>>> {
  const compiled = await nativeBackend({ threads: 1 });
  const { bindSession: _bound, ...others } = compiled;
  return { compiled, loop: { ...others, isCpu: false } };
}

const nets: Readonly<Record<string, { network: Network; dataset?: Dataset; settings?: Partial<TrainingConfig> }>> = {
  'of dense layers': { network: net([...hidden, dense(3)]) },
  'with dropout': { network: net([dense(24), relu(), dropout(0.3), dense(3)]) },
  'of members': { network: net([members(4), ...hidden, heads(3)]) },
  'of members behind encodings of rows': {
    network: {
      ...net([encodeNumbers({ bins: 4 }), encodeCategories({ dimension: 2 }), members(4), ...hidden, heads(3)]),
      inputNormalization: 'robust',
      categories: [5, 0, 0, 0, 2, 0],
      edges: [[], [-2, -1, 0, 1, 2], [0, 1], [], [], [-1, 1]],
    },
    dataset: withCategories(samples(), { 0: 5, 4: 2 }),
  },
  'of a number': {
    network: { ...net([...hidden, dense(1)]), standardizedTargets: true },
    dataset: samples([6], 'regression'),
  },
  'of pictures, whose pixels are bytes': {
    network: { ...net([flatten(), ...hidden, dense(3)], [1, 5, 5]), inputNormalization: 'channel' },
    dataset: pictures(),
  },
  'with an average of the weights, decay and clipping': {
    network: net([...hidden, dense(3)]),
    settings: { optimizer: 'adamw', ema: 0.9, weightDecay: 0.1, clipNorm: 1 },
  },
};

async function losses(run: TrainingRun, epochs: readonly number[]): Promise<readonly number[]> {
  const all: number[] = [];
  for (const epoch of epochs) all.push(...(await run.steps(order(epoch))).loss);
  return all;
}

describe.each(Object.entries(nets))('a network %s', (_name, { network, dataset = samples(), settings }) => {
  const plan = planNetwork(network);
  const all = { ...config, ...settings };

  it('is trained as by ONNX Runtime', async () => {
    const { compiled, loop } = await backends();
    expect(stepRecord(plan, dataset, all, compiled).stepper).toBe('compiled');
    expect(stepRecord(plan, dataset, all, loop).stepper).toBe('loop');
    const [ours, theirs] = [
      await TrainingRun.start(plan, dataset, all, compiled),
      await TrainingRun.start(plan, dataset, all, loop),
    ];
    const [a, b] = [await losses(ours, [1, 2]), await losses(theirs, [1, 2])];
    a.forEach((loss, step) => {
      expect(Math.abs(loss - (b[step] ?? NaN)), `step ${step}`).toBeLessThan(1e-3);
    });
    await theirs.release();
  });

  it('goes on to the bit from where it stood', async () => {
    const { compiled } = await backends();
    const whole = await TrainingRun.start(plan, dataset, all, compiled);
    await losses(whole, [1]);
    const { state, stepsDone: steps } = whole;
    await losses(whole, [2, 3]);
    const rest = await TrainingRun.resume(plan, dataset, all, compiled, { state, steps });
    await losses(rest, [2, 3]);
    expect(arraysOf(rest.state)).toEqual(arraysOf(whole.state));
  });

  it('has the same bits however many steps a call takes', async () => {
    const { compiled } = await backends();
    const [many, single] = [
      await TrainingRun.start(plan, dataset, all, compiled),
      await TrainingRun.start(plan, dataset, all, compiled),
    ];
    await many.steps(order(1));
    for (let from = 0; from < order(1).length; from += batchSize) {
      await single.steps(order(1).subarray(from, from + batchSize));
    }
    expect(arraysOf(single.state)).toEqual(arraysOf(many.state));
  });
});

const arraysOf = (state: State) => Object.fromEntries([...state].map(([name, { data }]) => [name, data]));

it('numbers that are not finite are told as elsewhere: tensor, step and learning rate', async () => {
  const { compiled, loop } = await backends();
  const settings = { ...config, optimizer: 'sgd', learningRate: 1e30, schedule: 'constant' } as const;
  const plan = planNetwork(net([dense(24), relu(), dense(12), relu(), dense(3)]));
  const told = async (backend: Backend) => {
    const run = await TrainingRun.start(plan, samples(), settings, backend);
    return losses(run, [1]).then(
      () => 'nothing',
      (error: unknown) => (error as Error).message,
    );
  };
  const message = await told(compiled);
  expect(message).toMatch(/got loss .* at step \d+ \(epoch 1, learning rate 1e\+30\)/);
  expect(message.replace(/got .* in layer/, '')).toBe((await told(loop)).replace(/got .* in layer/, ''));
});

it('other inputs of the same samples count from the next step on', async () => {
  const { compiled } = await backends();
  const plan = planNetwork(net([...hidden, dense(3)]));
  const dataset = samples();
  const [run, other] = [
    await TrainingRun.start(plan, dataset, config, compiled),
    await TrainingRun.start(plan, dataset, config, compiled),
  ];
  other.useInputs(dataset.inputs.map((x) => x / 2));
  expect(await losses(other, [1])).not.toEqual(await losses(run, [1]));
});

it.each([
  ['large', 'in-place', net([dense(2048), relu(), dense(2048), relu(), dense(3)]), samples()],
  [
    'with a convolution',
    'loop',
    net([conv2d(2, { kernel: 3 }), relu(), flatten(), dense(3)], [1, 6, 6]),
    samples([1, 6, 6]),
  ],
] as const)('a step that is %s is left to ONNX Runtime, %s', async (_name, stepper, network, dataset) => {
  const { compiled } = await backends();
  expect(stepRecord(planNetwork(network), dataset, config, compiled)).toEqual({ stepper, threads: 1 });
});
