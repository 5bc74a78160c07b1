/**
 * `bn-edge recalibrate` measures running statistics on samples without labels, and writes a new version of the model.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readModels } from '../../exporter/store/registry.ts';
import { readCard } from '../../exporter/store/card.ts';
import { measurableModel } from '../../exporter/recalibration/recalibrate.ts';
import { estimateStatistics } from '../../exporter/recalibration/statistics.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { type Dataset, encodeNpz, loadMnist } from '../../training/data/index.ts';
import { decodeProto, encodeModel, modelSignature } from '../../training/graph/index.ts';
import { batchNorm, dense, planNetwork, relu } from '../../training/network/index.ts';
import { populationStatistics, type State, train } from '../../training/trainer/index.ts';
import { exportGraph } from '../../exporter/model/inference-graph.ts';
import { batchNormOf } from '../../exporter/served/find-batch-norm.ts';
import { withStatistics } from '../../exporter/served/running-statistics.ts';
import type { TrainedModel } from '../../training/checkpoint/index.ts';
import { bnEdge } from '../command.ts';
import { twoClouds } from './samples.ts';
import { expectAllClose } from '../reference/close.ts';
import { present } from '../../training/arrays/index.ts';

let folder: string;
let digits: Dataset & { readonly labels: Int32Array };

/** Changes pixels as frosted glass does: less contrast, brighter, with noise. */
function foggy(pixels: ArrayLike<number>): Uint8Array {
  let state = 1;
  const noise = (): number => (state = (state * 1664525 + 1013904223) >>> 0) / 2 ** 32 - 0.5;
  return Uint8Array.from(pixels, (value) => Math.max(0, Math.min(255, 90 + 0.35 * value + 60 * noise())));
}

const COUNT = 400;

const config = {
  epochs: 1,
  batchSize: 50,
  optimizer: 'adam',
  learningRate: 0.01,
  schedule: 'constant',
  bnMomentum: 0.7,
  seed: 1,
} as const;

const npz = (name: string, arrays: Parameters<typeof encodeNpz>[0]): Promise<void> =>
  writeFile(join(folder, name), encodeNpz(arrays));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-recalibrate-'));
  const { test } = await loadMnist({ seed: 1 });
  digits = test;
  const x = { shape: [COUNT, 1, 28, 28], data: foggy(test.inputs.subarray(0, COUNT * 784)) };
  const y = { shape: [COUNT], data: test.labels.slice(0, COUNT) };
  await npz('foggy.npz', { x, y });
  await npz('unlabelled.npz', { x });
  await npz('clear.npz', { x: { ...x, data: Uint8Array.from(test.inputs.subarray(0, COUNT * 784)) }, y });
  await npz('few.npz', { x: { shape: [20, 1, 28, 28], data: x.data.slice(0, 20 * 784) } });
  const ones = [...test.labels.keys()].filter((i) => test.labels[i] === 1).slice(0, 200);
  const data = foggy(ones.flatMap((i) => [...test.inputs.subarray(i * 784, (i + 1) * 784)]));
  await npz('ones.npz', { x: { shape: [200, 1, 28, 28], data } });
});
afterAll(() => rm(folder, { recursive: true }));

const models = (): string => join(folder, 'models');
beforeEach(async () => {
  await rm(models(), { recursive: true, force: true });
  await cp('models', models(), { recursive: true });
});

const recalibrate = (...args: readonly string[]) => bnEdge(['recalibrate', ...args, '--models', models()]);
const data = (name: string): string => join(folder, name);

describe('statistics measured anew', () => {
  const samples = (): Dataset => ({ ...digits, count: COUNT, inputs: foggy(digits.inputs.subarray(0, COUNT * 784)) });

  it('are those of all samples, each layer behind the others with theirs: as a training pass finds them in one mini-batch', async () => {
    const backend = await nativeBackend();
    const plan = planNetwork({
      name: 'clouds',
      inputShape: [4],
      inputNormalization: 'feature',
      layers: [dense(8), batchNorm(), relu(), dense(6), batchNorm(), relu(), dense(2)],
    });
    const [trained, moved] = [twoClouds(600, 4, 1), twoClouds(COUNT, 4, 2)];
    moved.inputs.forEach((value, i) => (moved.inputs[i] = 2 * value + (i % 4)));
    const { tensors } = await train(plan, { train: trained, validation: trained }, config, backend);
    const model: TrainedModel = { plan, tensors, classes: trained.classes, record: undefined };
    const bytes = encodeModel(exportGraph(model, 'running'));
    const [input] = modelSignature(bytes).inputs;
    const { layers } = batchNormOf(decodeProto(bytes));
    const subject = { path: 'clouds', bytes, layers, input: input?.name ?? '' };
    const { statistics } = await estimateStatistics(subject, moved, backend, 0);
    const expected = await populationStatistics(backend, plan, tensors, moved, COUNT);
    expect(layers.map(({ name }) => name)).toEqual(['bn1', 'bn2']);
    for (const { name, output } of layers) {
      const found = statistics.get(output);
      expectClose(`${name}.running_mean`, found?.mean, expected);
      expectClose(`${name}.running_var`, found?.variance, expected);
    }
  });

  it('are mixed with the former ones, which count for as many samples as is said', async () => {
    const backend = await nativeBackend();
    const { subject } = await measurableModel('models', 'mnist-cnn');
    const [first] = subject.layers;
    const of = async (prior: number) =>
      (await estimateStatistics(subject, samples(), backend, prior)).statistics.get(first?.output ?? '');
    const [alone, mixed] = [await of(0), await of(3 * COUNT)];
    first?.runningMean.forEach((former, c) => {
      expect(mixed?.mean[c]).toBeCloseTo(0.75 * former + 0.25 * (alone?.mean[c] ?? NaN), 6);
      expect(mixed?.variance[c]).toBeCloseTo(
        0.75 * (first.runningVar[c] ?? NaN) + 0.25 * (alone?.variance[c] ?? NaN),
        6,
      );
    });
  });
});

describe('bn-edge recalibrate', () => {
  it('refuses a model whose statistics, and therefore whose answers, are not numbers', async () => {
    const file = join(models(), 'mnist-mlp', 'model.onnx');
    const bytes = await readFile(file);
    const proto = decodeProto(bytes);
    const broken = batchNormOf(proto).layers.map(
      ({ output, runningMean }) => [output, { mean: runningMean, variance: runningMean.map(() => -1) }] as const,
    );
    await writeFile(file, withStatistics(bytes, proto.graph ?? {}, new Map(broken)));
    const { code, stderr } = await recalibrate('mnist-mlp', '--data', data('clear.npz'), '--force');
    expect(code).toBe(1);
    expect(stderr.split('\n').at(-1)).toMatch(
      /^error: bn1: expected running statistics of finite numbers, got mean \S+ and variance -1 in channel 0: train it again$/,
    );
  });

  it('writes a new version that answers foggy digits, says by how much, and keeps the former', async () => {
    const { code, stdout, stderr } = await recalibrate('mnist-cnn', '--data', data('foggy.npz'), '--json');
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const answer = JSON.parse(stdout) as {
      readonly version: string;
      readonly score: { readonly before: number; readonly after: number };
    };
    expect(answer.version).toBe('2');
    expect(answer.score.before).toBeLessThan(0.3);
    expect(answer.score.after).toBeGreaterThan(0.9);
    const card = await readCard(models(), 'mnist-cnn');
    expect(card).toMatchObject({ version: '2', recalibrated: { from: '1', data: 'foggy', samples: COUNT, prior: 0 } });
    // Scores of the previous version are not copied to this one.
    expect([card.scores, card.metrics, card.verification, card.statistics]).toEqual(Array(4).fill(undefined));
    const former = await readFile(join(models(), 'mnist-cnn/versions/1/model.onnx'));
    expect(Buffer.compare(former, await readFile('models/mnist-cnn/model.onnx'))).toBe(0);
    const { models: read, broken } = readModels(models());
    expect(broken).toEqual([]);
    expect(read.map(({ about }) => about.path)).toContain('mnist-cnn/versions/1');
    expect(await scoreOf(join(models(), 'mnist-cnn'))).toBe(answer.score.after);
  });

  it('is gone back on in the folder alone, and forth again', async () => {
    await recalibrate('mnist-mlp', '--data', data('unlabelled.npz'));
    const back = () => bnEdge(['rollback', 'mnist-mlp', '--local', '--models', models(), '--json']);
    expect(JSON.parse((await back()).stdout)).toEqual({
      name: 'mnist-mlp',
      version: '1',
      previous: '2',
      deployed: false,
    });
    const file = await readFile(join(models(), 'mnist-mlp/model.onnx'));
    expect(Buffer.compare(file, await readFile('models/mnist-mlp/model.onnx'))).toBe(0);
    expect(JSON.parse((await back()).stdout)).toMatchObject({ version: '2', previous: '1' });
    const { code, stderr } = await bnEdge(['rollback', 'mnist-cnn', '--local', '--models', models()]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('expected an earlier version to go back to, got none')]);
  });

  it('knows the label of a table, says nothing of what nobody has measured, and gives way to no export of its number', async () => {
    const table = join(folder, 'moved.csv');
    const penguins = await readFile('test/fixtures/penguins.csv', 'utf8');
    const [header = '', ...rows] = penguins.trim().split('\n');
    const moved = rows.map((row) =>
      row.split(',').map((cell, i) => (i === 5 && cell !== '' ? Number(cell) + 900 : cell)),
    );
    await writeFile(table, [header, ...moved, ''].join('\n'));
    const run = join(folder, 'penguins');
    const trained = ['train', 'test/fixtures/penguins.csv', '--label', 'species', '--hidden', '16', '--out', run];
    expect((await bnEdge([...trained, '--epochs', '20'])).code).toBe(0);
    const exported = () => bnEdge(['export', run, '--models', models()]);
    expect((await exported()).code).toBe(0);
    const before = await readCard(models(), 'penguins');
    expect([before.calibration, before.importance]).not.toContain(undefined);
    const { code, stdout } = await recalibrate('penguins', '--data', table, '--force');
    expect(code).toBe(0);
    expect(stdout).toMatch(/accuracy +\d+\.\d\d % -> \d+\.\d\d %/);
    const after = await readCard(models(), 'penguins');
    expect([after.calibration, after.importance, after.interval, after.intervals]).toEqual(Array(4).fill(undefined));
    const again = await exported();
    expect(`${again.stdout}${again.stderr}`).toContain(
      'version 2 was recalibrated on moved; version 3, which takes its place, is not',
    );
    expect((await readCard(models(), 'penguins')).version).toBe('3');
  });

  it('needs no labels, and finds nothing to do the second time', async () => {
    const { code, stdout } = await recalibrate('mnist-mlp', '--data', data('unlabelled.npz'));
    expect(code).toBe(0);
    expect(stdout).toMatch(/accuracy +unknown: the samples have no labels, or no answer is a number\n/);
    expect(stdout).toMatch(
      /version 2; version 1 is kept beside it: npx bn-edge rollback mnist-mlp --models .* --local goes back\n$/,
    );
    const again = await recalibrate('mnist-mlp', '--data', data('unlabelled.npz'));
    expect(again).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nothing was written: mnist-mlp has these statistics already') as string,
    });
  });

  it.each([
    ['few samples', 'few.npz', /expected 100 samples or more .* got 20 \(--prior 16 mixes the former ones in\)/],
    ['samples of one class', 'ones.npz', /expected answers about as decided as usual \(0\.\d\d nats\), got 0\.\d\d/],
    ['a score that gets worse', 'clear.npz', /accuracy gets worse on these samples/],
  ])('refuses %s, unless it is forced', async (_, name, objection) => {
    const before = await contentOf('mnist-cnn');
    const { code, stdout, stderr } = await recalibrate('mnist-cnn', '--data', data(name));
    expect(code).toBe(1);
    expect(`${stdout}\n${stderr}`).toMatch(objection);
    expect(stderr).toMatch(
      /nothing was written: (one objection|2 objections); --force writes the version all the same/,
    );
    expect(await contentOf('mnist-cnn')).toEqual(before);
    expect((await recalibrate('mnist-cnn', '--data', data(name), '--force')).code).toBe(0);
    expect((await readCard(models(), 'mnist-cnn')).version).toBe('2');
  });

  it('takes few samples where the former statistics are mixed in', async () => {
    expect((await recalibrate('mnist-cnn', '--data', data('few.npz'), '--prior', '16')).code).toBe(0);
  });

  it.each([
    [['nothing', '--data', 'x.npz'], /nothing\/model\.onnx: expected a model, got no such file/],
    [['mnist-cnn'], /--data: expected samples of what the model is asked now; no labels are needed, got none/],
    [[], /expected a model, such as bn-edge recalibrate churn --data march\.csv/],
    [['../models', '--data', 'x.npz'], /--name: expected/],
    [['mnist-cnn', '--data', 'x.npz', '--prior', '-1'], /a number of at least 0/],
  ])('refuses %j in one line', async (args, message) => {
    const { code, stderr } = await recalibrate(...args);
    expect(code).toBeGreaterThan(0);
    expect(stderr.split('\n').filter((line) => line.startsWith('error'))).toHaveLength(1);
    expect(stderr).toMatch(message);
  });

  it.each([['has none', 'sklearn-regression', /expected Batch Norm with running statistics, got none/]])(
    'refuses a model that %s',
    async (_, fixture, message) => {
      const target = join(models(), 'other');
      await mkdir(target);
      const from = `test/fixtures/exporters/${fixture}`;
      const file = (await readdir(from)).find((name) => name.endsWith('.onnx')) ?? '';
      await cp(join(from, file), join(target, 'model.onnx'));
      const { code, stderr } = await recalibrate('other', '--data', data('unlabelled.npz'));
      expect(code).toBe(1);
      expect(stderr).toMatch(message);
    },
  );
});

async function contentOf(name: string): Promise<ReadonlyMap<string, string>> {
  const paths = await readdir(join(models(), name), { recursive: true });
  const files = paths.filter((path) => /\.\w+$/.test(path));
  return new Map(
    await Promise.all(
      files.map(async (path) => [path, (await readFile(join(models(), name, path))).toString('base64')] as const),
    ),
  );
}

async function scoreOf(model: string): Promise<number> {
  const { stdout } = await bnEdge(['evaluate', model, '--data', data('foggy.npz'), '--worst', '0', '--json']);
  return (JSON.parse(stdout) as { readonly scores: { readonly accuracy: number } }).scores.accuracy;
}

/** Expects tensors within float32's rounding of sums over the samples. */
function expectClose(name: string, found: ArrayLike<number> | undefined, expected: State): void {
  expectAllClose(name, found, present(expected.get(name)).data, { rtol: 1e-5, atol: 1e-6 });
}
