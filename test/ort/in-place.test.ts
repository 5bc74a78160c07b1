/** On every backend, steps whose state stays in place give the same results as the whole graph in a Loop. */
import type { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { type Backend, createBackend, nativeBackend, wasmBackend } from '../../training/backend/index.ts';
import { createRandom, epochBatches } from '../../training/data/index.ts';
import {
  batchNorm,
  conv2d,
  dense,
  dropout,
  encodeCategories,
  encodeNumbers,
  flatten,
  heads,
  maxPool,
  members,
  type Network,
  planNetwork,
  relu,
} from '../../training/network/index.ts';
import { type OptimizerName, optimizers } from '../../training/optimizer/index.ts';
import { type State, stepRecord, type TrainingConfig, TrainingRun } from '../../training/trainer/index.ts';
import { twoClouds } from './samples.ts';
import { expectAllClose } from '../reference/close.ts';

const network: Network = {
  name: 'clouds',
  inputShape: [6],
  inputNormalization: 'feature',
  layers: [members(3), dense(16), batchNorm(), relu(), dropout(0.3), heads(2)],
};
/** The samples of the clouds lie between 0 and 20. */
const encoded: Network = {
  name: 'encoded',
  inputShape: [6],
  inputNormalization: 'robust',
  categories: [0, 0, 0, 0, 0, 20],
  edges: [[5, 8, 10, 12, 15], [7, 13], [], [], [], []],
  layers: [encodeNumbers(), encodeCategories({ dimension: 3 }), members(3), dense(16), batchNorm(), relu(), heads(2)],
};
const pictures: Network = {
  name: 'pictures',
  inputShape: [1, 6, 6],
  inputNormalization: 'channel',
  layers: [conv2d(5, { kernel: 3 }), batchNorm(), relu(), maxPool(2), flatten(), dense(2)],
};
/** Some tensors of this network are too large to be passed to ONNX Runtime as part of a packed one. */
const wide: Network = {
  name: 'wide',
  inputShape: [6],
  inputNormalization: 'feature',
  layers: [dense(100), batchNorm(), relu(), dense(101), batchNorm(), relu(), dense(2)],
};
/**
 * Threads share the matrices of this network, which have the samples along their rows, and the numbers that a step
 * changes.
 */
const large: Network = {
  name: 'large',
  inputShape: [6],
  inputNormalization: 'feature',
  layers: [dense(3400), batchNorm(), relu(), dropout(0.3), dense(20), batchNorm(), relu(), dense(2)],
};
const base: TrainingConfig = {
  epochs: 2,
  batchSize: 20,
  optimizer: 'adam',
  learningRate: 0.01,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 7,
};
const inPlaceOn = (backend: Backend): Backend => ({ ...backend, stepper: 'in-place' });
const [native, wasm] = [inPlaceOn(await nativeBackend({ threads: 1 })), inPlaceOn(await wasmBackend())];
const onTwo = inPlaceOn(await nativeBackend({ threads: 2 }));
const looping = (backend: Backend): Backend => ({ ...backend, stepper: 'loop' });
const runs: TrainingRun[] = [];
afterAll(() => Promise.all(runs.map((run) => run.release())));

async function start(backend: Backend, changes: Partial<TrainingConfig> = {}, of = network): Promise<TrainingRun> {
  const samples = twoClouds(
    400,
    of.inputShape.reduce((a, b) => a * b, 1),
    1,
  );
  const dataset = { ...samples, inputShape: of.inputShape, inputs: withCategories(samples.inputs, of) };
  const run = await TrainingRun.start(planNetwork(of), dataset, { ...base, ...changes }, backend);
  runs.push(run);
  return run;
}

/** Replaces the values in columns of categories with indices. */
const withCategories = (inputs: ArrayLike<number>, { categories = [] }: Network): Float32Array =>
  Float32Array.from(inputs, (x, i) => ((categories[i % 6] ?? 0) > 0 ? Math.min(Math.max(Math.floor(x), 0), 19) : x));

const order = epochBatches(createRandom(7), 1, 400, base.batchSize);

/** Both are float32 and add in different orders; over twenty steps Adam amplifies differences near zero. */
const tolerance = { rtol: 1e-5, ofLargest: 5e-6 };

function expectSameState(actual: State, expected: State): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, { data, shape }] of expected) {
    const got = actual.get(name);
    expect(got?.shape).toEqual(shape);
    expectAllClose(name, got?.data, data, tolerance);
  }
}

const rows: readonly (readonly [string, Partial<TrainingConfig>])[] = [
  ...(Object.keys(optimizers) as OptimizerName[]).flatMap((optimizer) => [
    [optimizer, { optimizer }] as const,
    [`${optimizer}, clipped, with decay, averaged`, { optimizer, clipNorm: 0.5, weightDecay: 0.05, ema: 0.9 }] as const,
  ]),
  ['cumulative, unbiased running statistics', { bnMomentum: 'none', bnVariance: 'unbiased' }],
  ['frozen running statistics, averaged', { freezeBn: true, ema: 0.9 }],
];

describe('steps in place give what the Loop gives', () => {
  it.each(rows)('with %s', async (_, changes) => {
    const [inPlace, loop] = [await start(native, changes), await start(looping(native), changes)];
    const [results, expected] = [await inPlace.steps(order), await loop.steps(order)];
    expect(results.loss.length).toBe(20);
    results.loss.forEach((loss, i) => {
      expect(loss).toBeCloseTo(expected.loss[i] ?? NaN, 4);
    });
    expect([...results.score]).toEqual([...expected.score]);
    expectSameState(inPlace.state, loop.state);
  });

  it.each<[string, string, Backend, Network]>([
    ['WebAssembly', 'tables', wasm, network],
    ['WebAssembly', 'encodings of rows', wasm, encoded],
    ['native', 'encodings of rows', native, encoded],
    ['WebAssembly', 'pictures', wasm, pictures],
    ['native', 'pictures', native, pictures],
    ['native', 'layers of both sizes', native, wide],
    ['native', 'a large layer', native, large],
    ['two threads', 'a large layer', onTwo, large],
  ])('on %s, for %s', async (_backend, _data, backend, of) => {
    const [inPlace, loop] = [await start(backend, {}, of), await start(looping(backend), {}, of)];
    const [results, expected] = [await inPlace.steps(order), await loop.steps(order)];
    results.loss.forEach((loss, i) => {
      expect(loss).toBeCloseTo(expected.loss[i] ?? NaN, 4);
    });
    expectSameState(inPlace.state, loop.state);
  });
});

describe('the state of a run in place', () => {
  it('is read as it was, whatever steps follow, and goes on in another run', async () => {
    const run = await start(native);
    await run.steps(order.subarray(0, 100));
    const [before, copy] = [run.state, structuredClone(run.state)];
    await run.steps(order.subarray(100));
    expect(before).toEqual(copy);
    expect(run.state).not.toEqual(copy);
    const position = { state: before, steps: 5 };
    const dataset = twoClouds(400, 6, 1);
    const other = await TrainingRun.resume(planNetwork(network), dataset, base, native, position);
    runs.push(other);
    await other.steps(order.subarray(100));
    expect(other.state).toEqual(run.state);
  });

  it('is not shared by two runs of one backend', async () => {
    const [one, two, alone] = [await start(native), await start(native), await start(native)];
    await Promise.all([one.steps(order), two.steps(order)]);
    await alone.steps(order);
    expect(one.state).toEqual(alone.state);
    expect(two.state).toEqual(alone.state);
  });
});

it.each([400, -1])('the index %i of a sample that there is not is refused', async (index) => {
  const run = await start(native);
  const wrong = order.slice(0, base.batchSize).fill(index, 3, 4);
  await expect(run.steps(wrong)).rejects.toThrow(`expected indices of 400 samples, got ${index}`);
});

describe('a step that leaves the finite numbers', () => {
  it.each([
    ['sgd', 1e30],
    // Adam's ε divided by this rate rounds to zero in float32, so elements without a gradient, such as the padding
    // between tensors, are divided by zero.
    ['adam', 1e38],
  ] as const)(
    'is named with tensor, step and learning rate, as by the Loop: %s, %d',
    async (optimizer, learningRate) => {
      const changes = { optimizer, learningRate, schedule: 'constant' } as const;
      const [inPlace, loop] = await Promise.all(
        [native, looping(native)].map(async (backend) => {
          const error: unknown = await (await start(backend, changes)).steps(order).catch((reason: unknown) => reason);
          return String(error).replace(/loss \S+/, 'loss …');
        }),
      );
      expect(inPlace).toMatch(/finite numbers, got loss … and \S+ in layer \S+ \(\S+\) at step \d+ \(epoch 1, /);
      expect(inPlace).toBe(loop);
    },
  );
});

it('more samples in a mini-batch than there are is refused before anything starts', async () => {
  await expect(start(native, { batchSize: 401 })).rejects.toThrow(
    'batch size: expected 1 to 400 (the training samples), got 401',
  );
});

it('a machine without memory for the state is told how much it takes', async () => {
  vi.spyOn(WebAssembly, 'Memory').mockImplementation(function () {
    throw new RangeError('WebAssembly.Memory(): could not allocate memory');
  });
  await expect(start(native)).rejects.toThrow(
    /^training: expected \d+ MB of memory for the network's state, got less$/,
  );
  vi.restoreAllMocks();
});

it('an engine whose threads share no memory takes the same steps, on one thread of its own', async () => {
  const steps = async () => {
    const run = await start(inPlaceOn(await nativeBackend({ threads: 2 })), {}, large);
    return { results: await run.steps(order), state: run.state };
  };
  const expected = await steps();
  vi.stubGlobal('SharedArrayBuffer', undefined);
  const alone = await steps().finally(() => vi.unstubAllGlobals());
  expect(alone).toEqual(expected);
});

it('a run whose row threads end says so once, and takes the same steps', async () => {
  const started: Worker[] = [];
  const listen = (worker: Worker) => started.push(worker);
  const notes: string[] = [];
  const backend = await createBackend('native', { threads: 2, stepper: 'in-place' }, (line) => notes.push(line));
  process.on('worker', listen);
  const run = await start(backend, {}, large);
  process.off('worker', listen);
  const [first, others] = [order.subarray(0, 5 * base.batchSize), order.subarray(5 * base.batchSize)];
  await run.steps(first);
  expect(started.length).toBeGreaterThan(0);
  await Promise.all(started.map((worker) => worker.terminate()));
  await run.steps(others);
  const whole = await start(onTwo, {}, large);
  await whole.steps(order);
  expect(run.state).toEqual(whole.state);
  // A thread that has just ended by itself has status 0.
  expect(notes).toEqual([
    expect.stringMatching(/^row thread ended: exit status [01]; its rows are computed by the main thread$/),
  ]);
});

it.each(['in-place', 'loop', 'compiled'] as const)('the record of a run says that its steps are %s', (stepper) => {
  const steps = stepRecord(planNetwork(network), twoClouds(400, 6, 1), base, { ...native, stepper });
  expect(steps).toEqual({ stepper, threads: 1 });
});

it.each([
  ['compiled', pictures, 'expected in-place or loop for pictures on the native backend, got compiled'],
  ['in-place', network, 'expected loop for clouds on the other backend, got in-place'],
] as const)('what cannot take the steps is refused: %s', async (stepper, of, message) => {
  const { bindSession: _, ...unbound } = native;
  const backend = stepper === 'in-place' ? { ...unbound, name: 'other' } : native;
  await expect(start({ ...backend, stepper }, {}, of)).rejects.toThrow(`--stepper: ${message}`);
});
