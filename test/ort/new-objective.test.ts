/** A new objective needs only its own rule and data: nothing else in training or export has to know it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { exportGraph } from '../../exporter/model/inference-graph.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { loadModel, saveModel, type TrainedModel } from '../../training/checkpoint/model.ts';
import { encodeModel, modelSignature } from '../../training/graph/index.ts';
import { batchNorm, dense, planNetwork, relu } from '../../training/network/index.ts';
import { baselineOf, formatReport, mistakesOf, reportOn } from '../../training/objective/index.ts';
import { openMetricsFile } from '../../training/run/run-folder.ts';
import { bestEpoch, createEvaluator, train, type TrainingConfig } from '../../training/trainer/index.ts';
import { asDataset, multilabel, multilabelRule } from './multilabel.ts';
import { twoClouds } from './samples.ts';
import { verified } from './verified.ts';

vi.mock('../../training/objective/rules/index.ts', async (original) => {
  const { objectiveRules } = await original<{ objectiveRules: object }>();
  const { multilabelRule } = await import('./multilabel.ts');
  return { objectiveRules: { ...objectiveRules, multilabel: multilabelRule } };
});

const backend = await nativeBackend({ threads: 1 });
const plan = planNetwork({
  name: 'labels',
  inputShape: [4],
  inputNormalization: 'feature',
  layers: [dense(16), batchNorm(), relu(), dense(2)],
});
const config: TrainingConfig = {
  epochs: 8,
  batchSize: 32,
  optimizer: 'adam',
  learningRate: 0.02,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 2,
  objective: multilabel,
};

/** Label 0 applies right of the middle, label 1 above it. */
function labelled(count: number, seed: number) {
  const { inputs, inputShape } = twoClouds(count, 4, seed);
  const flags = Float32Array.from({ length: 2 * count }, (_, i) =>
    Number((inputs[4 * Math.floor(i / 2) + (i % 2)] ?? NaN) > 10),
  );
  return asDataset({ task: 'labels', inputs, inputShape, count, flags });
}

const data = { train: labelled(1280, 1), validation: labelled(320, 2) };
let folder: string;
let model: TrainedModel;
let history: Awaited<ReturnType<typeof train>>['history'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  const { tensors, steps, ...result } = await train(plan, data, config, backend);
  history = result.history;
  const parts = { train: 1280, validation: 320, test: 0 };
  const record = { data: { name: 'labels', ...parts }, config, engine: backend.engine, steps, history };
  model = { plan, tensors, classes: ['right', 'above'], record };
});
afterAll(() => rm(folder, { recursive: true }));

it('trains, with its own loss and score in the graph and on the host', async () => {
  const last = history.at(-1);
  expect(last?.train.loss).toBeLessThan(0.3);
  expect(last?.train.score).toBeGreaterThan(0.85);
  const evaluator = await createEvaluator(backend, plan);
  const output = await evaluator.logits(model.tensors, data.validation);
  await evaluator.release();
  const report = reportOn(data.validation, output, multilabel);
  const { validation } = history[bestEpoch(history) - 1] ?? {};
  expect(report.metrics['exact match']).toBe(validation?.score);
  expect(mistakesOf(data.validation, output, multilabel)).toHaveLength(
    Math.round((1 - (validation?.score ?? NaN)) * 320),
  );
  const baseline = baselineOf(multilabel, data.train, data.validation);
  expect(formatReport(multilabel, report, baseline)).toBe(
    `exact match ${validation?.score ?? NaN} (always neither: ${baseline.score})`,
  );
});

it('is stored and read back under the name of its score', async () => {
  const path = join(folder, 'model.safetensors');
  await saveModel(path, model);
  expect(await loadModel(path)).toEqual({ ...model, batches: model.record?.steps });
  const metrics = join(folder, 'metrics.jsonl');
  const add = await openMetricsFile(metrics, multilabelRule.score, 0);
  for (const epoch of history.slice(0, 1)) add({ ...epoch, steps: 1, samplesPerSecond: 1 });
  expect(await readFile(metrics, 'utf8')).toMatch(/"validation":\{"loss":[\d.]+,"exact_match":[\d.]+\}/);
});

it('exports what its rule says, verified by the rule’s own comparison', async () => {
  const file = encodeModel(exportGraph(model, 'running'));
  expect(modelSignature(file).outputs).toMatchObject([{ name: 'probabilities', shape: ['N', 2] }]);
  expect(await verified(backend, model, file, data.validation)).toMatchObject({ samples: 320 });
});

it('is refused for data of another kind', async () => {
  const clouds = { train: twoClouds(64, 4, 1), validation: twoClouds(64, 4, 2) };
  await expect(train(plan, clouds, config, backend)).rejects.toThrow(
    'objective multilabel: expected data for labels, got 2 classes',
  );
});
