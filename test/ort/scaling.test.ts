/** No answer depends on the unit of a column, on a constant that is added to it, or on a column that never changes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportGraph } from '../../exporter/model/inference-graph.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { loadModel, writeSafetensors } from '../../training/checkpoint/index.ts';
import { arrayDataset, type ClassificationDataset, type Dataset } from '../../training/data/index.ts';
import { encodeModel, graphBuilder } from '../../training/graph/index.ts';
import { denseNetwork, type Network, planNetwork } from '../../training/network/index.ts';
import { accuracy, classLogits, mse, predictions } from '../../training/objective/index.ts';
import { createEvaluator, runOverSamples, train, type TrainingConfig } from '../../training/trainer/index.ts';
import { twoClouds } from './samples.ts';

const backend = await nativeBackend({ threads: 1 });
const config: TrainingConfig = {
  epochs: 4,
  batchSize: 20,
  optimizer: 'adam',
  learningRate: 0.01,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 7,
};
const features = 3;
const clouds = twoClouds(300, features);

interface Unit {
  readonly column: number;
  readonly factor: number;
  readonly offset: number;
}

const inUnit = (dataset: ClassificationDataset, { column, factor, offset }: Unit): ClassificationDataset => ({
  ...dataset,
  inputs: Float32Array.from(dataset.inputs, (x, i) => (i % features === column ? x * factor + offset * factor : x)),
});

/** Trains a network on a data set, and returns the exported file's answers to a data set, by default the same. */
async function servedAnswers(dataset: Dataset, asked = dataset, options: Partial<TrainingConfig> = {}) {
  const { inputShape } = dataset;
  const isNumber = dataset.task === 'regression';
  const network = denseNetwork(
    { name: 'net', inputShape, outputs: isNumber ? 1 : 2, ...(isNumber && { standardizedTargets: true }) },
    [16],
  );
  const plan = planNetwork(network);
  const parts = { train: dataset, validation: dataset };
  const { tensors, history } = await train(plan, parts, { ...config, ...options }, backend);
  const classes = dataset.task === 'classification' ? dataset.classes : [];
  const file = encodeModel(exportGraph({ plan, tensors, classes, record: undefined }, 'running'));
  const session = await backend.loadSession(file);
  const output = isNumber ? 'prediction' : 'logits';
  const answers = await runOverSamples(session, asked, { input: 'features', output });
  await session.release();
  return { answers, history };
}

const classesOf = (answers: Float32Array, count: number) => [...predictions(classLogits(answers, count))];

describe('answers and scores', () => {
  const column = fc.integer({ min: 0, max: features - 1 });

  it('are the same to the bit for a column in a unit that is a power of 2', async () => {
    const { answers } = await servedAnswers(clouds);
    const property = fc.asyncProperty(column, fc.integer({ min: -100, max: 100 }), async (column, power) => {
      const other = await servedAnswers(inUnit(clouds, { column, factor: 2 ** power, offset: 0 }));
      expect(other.answers).toEqual(answers);
    });
    await fc.assert(property, {
      numRuns: 8,
      examples: [
        [0, -100],
        [1, 100],
      ],
    });
  });

  /** Training amplifies the rounding of the inputs, so a sample or two at the border may change class. */
  it('are alike for a column in any unit, from any zero', async () => {
    const reference = await servedAnswers(clouds);
    const expected = classesOf(reference.answers, clouds.count);
    const score = accuracy(classLogits(reference.answers, clouds.count), clouds.labels);
    expect(score).toBeGreaterThan(0.9);
    const property = fc.asyncProperty(
      column,
      fc.integer({ min: -30, max: 30 }),
      fc.constantFrom(0, -1000, 12_345),
      async (column, power, offset) => {
        const other = inUnit(clouds, { column, factor: 10 ** power, offset });
        const { answers } = await servedAnswers(other);
        const changed = classesOf(answers, clouds.count).filter((k, i) => k !== expected[i]).length;
        expect(changed).toBeLessThanOrEqual(6);
        expect(Math.abs(accuracy(classLogits(answers, clouds.count), clouds.labels) - score)).toBeLessThanOrEqual(0.02);
      },
    );
    await fc.assert(property, {
      numRuns: 15,
      examples: [
        [0, -30, 0],
        [2, 30, 0],
        [1, -30, 12_345],
        [1, 30, -1000],
      ],
    });
  });

  it('are alike for arrays of numbers in any unit', async () => {
    const score = async (factor: number) => {
      const data = Float64Array.from(clouds.inputs, (x) => x * factor);
      const inputs = { where: 'x', shape: [clouds.count, features], data };
      const labels = { where: 'y', shape: [clouds.count], data: clouds.labels };
      const dataset = arrayDataset(inputs, labels) as ClassificationDataset;
      const { answers } = await servedAnswers(dataset);
      return accuracy(classLogits(answers, clouds.count), clouds.labels);
    };
    const expected = await score(1);
    for (const factor of [1e-30, 1e-4, 1e30])
      expect(Math.abs((await score(factor)) - expected)).toBeLessThanOrEqual(0.02);
  });

  it.each([1e-25, 1e25])('are in the unit of the numbers to predict, of the size of %d', async (factor) => {
    const values = Float32Array.from({ length: clouds.count }, (_, i) => {
      const row = Array.from(clouds.inputs.subarray(i * features, (i + 1) * features));
      return factor * row.reduce((sum, x) => sum + x, 0);
    });
    const dataset: Dataset = { ...clouds, task: 'regression', values };
    const deviation = 8 * factor;
    const { answers, history } = await servedAnswers(dataset, dataset, {
      objective: mse({ unit: deviation }),
      epochs: 20,
    });
    const rmse = Math.hypot(...answers.map((y, i) => (y - (values[i] ?? NaN)) / factor)) / Math.sqrt(clouds.count);
    expect(rmse).toBeLessThan(2);
    const last = history.at(-1);
    for (const part of [last?.train, last?.validation]) {
      expect((part?.score ?? NaN) / factor).toBeGreaterThan(0.05);
      expect((part?.score ?? NaN) / factor).toBeLessThan(8);
    }
  });
});

it('a column that never changes in training changes no answer later', async () => {
  const withConstant = (k: number): ClassificationDataset => ({
    ...clouds,
    inputs: clouds.inputs.map((x, i) => (i % features === 1 ? k : x)),
  });
  const constant = withConstant(7);
  const { answers } = await servedAnswers(constant);
  for (const k of [7.01, 8, -1e6, 0]) {
    expect((await servedAnswers(constant, withConstant(k))).answers).toEqual(answers);
  }
});

describe('a checkpoint from before σ was stored', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('answers with the same bits', async () => {
    const size = 997;
    const some = (scale: number, seed: number) =>
      Float32Array.from({ length: size }, (_, i) => scale * Math.abs(Math.sin(seed + i)) ** (i % 19));
    const [mean, variance, x] = [some(100, 1), some(1e4, 2), some(300, 3)];
    const network: Network = {
      name: 'former',
      inputShape: [size],
      inputNormalization: 'feature',
      standardizedTargets: true,
      layers: [],
    };
    const path = join(folder, 'former.safetensors');
    const tensor = (data: Float32Array) => ({ dtype: 'F32', shape: [data.length], data }) as const;
    const [targetMean, targetVariance] = [Float32Array.of(12.3), Float32Array.of(4.567)];
    await writeSafetensors(
      path,
      new Map([
        ['input.mean', tensor(mean)],
        ['input.var', tensor(variance)],
        ['target.mean', tensor(targetMean)],
        ['target.var', tensor(targetVariance)],
      ]),
      { 'bn_edge.network': JSON.stringify(network) },
    );
    const model = await loadModel(path);
    const evaluator = await createEvaluator(backend, model.plan);
    const got = await evaluator.logits(model.tensors, { inputs: x, inputShape: [size], count: 1 });
    await evaluator.release();

    const g = graphBuilder();
    const input = (name: string, length: number) => g.input(name, { dtype: 'float32', shape: [length] });
    const deviation = g.Sqrt(g.Add(input('variance', size), g.scalar(1e-5)));
    const z = g.Div(g.Sub(input('x', size), input('mean', size)), deviation);
    const y = g.Add(g.Mul(z, g.Sqrt(input('targetVariance', 1))), input('targetMean', 1));
    const session = await backend.createSession(g.build('as it was', { y }));
    const feeds = { x, mean, variance, targetMean, targetVariance };
    const results = await session.run(
      Object.fromEntries(
        Object.entries(feeds).map(([name, data]) => [name, { dtype: 'float32', shape: [data.length], data } as const]),
      ),
    );
    await session.release();
    expect(got).toEqual(results['y']?.data);
  });
});
