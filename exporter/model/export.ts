/** Checkpoint in, verified model folder out: `model.onnx`, its mini-batch twin, and `card.json`. */
import type { Backend } from '../../training/backend/index.ts';
import { type Dataset, type DataSource, loadSource, type Splits } from '../../training/data/index.ts';
import { readBytes, unexpected } from '../../training/files/index.ts';
import { encodeModel } from '../../training/graph/index.ts';
import { loadModel, objectiveOf, type TrainedModel } from '../../training/checkpoint/index.ts';
import { type Network } from '../../training/network/index.ts';
import { baselineOf, objectiveRuleOf, reportOn } from '../../training/objective/index.ts';
import { createEvaluator, populationStatistics } from '../../training/trainer/index.ts';
import { join } from 'node:path';
import { modelCard, type ModelCard, type Scores, type StatisticsSource } from './card.ts';
import { describedBy } from './same-data.ts';
import { exportGraph, type NodeStatistics } from './graph.ts';
import { requireModelName } from '../store/model-name.ts';
import { type Files, keptOf, readFolder, versionOf } from '../store/versions.ts';
import { replaceFolder } from '../store/replace-folder.ts';
import { verifyExport } from './verify.ts';

export interface ExportOptions {
  readonly checkpoint: string;
  /** The folder in `models` and the name under which the Worker serves it. */
  readonly name: string;
  readonly models: string;
  readonly statistics: StatisticsSource;
  /** For a checkpoint that does not describe its network. */
  readonly network?: Network | undefined;
  /** Where the checkpoint's own data are now, or what else to read of them; and data for a checkpoint that names none. */
  readonly data?: DataSource | undefined;
}

/** A card and the files it describes, itself among them. */
export interface BuiltModel {
  readonly card: ModelCard;
  readonly files: Files;
}

/**
 * Replaces the current version of a model; an earlier one that is kept beside it stays.
 * @throws UserError when the checkpoint, the name or the verification fails; a former model is then untouched
 */
export async function exportModel(options: ExportOptions, backend: Backend): Promise<ModelCard> {
  const { models, name } = options;
  const standing = await readFolder(models, name);
  const { card, files } = await buildModel({ ...options, version: versionOf(standing) }, backend);
  await replaceFolder(models, name, new Map([...files, ...keptOf(standing)]));
  return card;
}

/** @throws UserError when the checkpoint, the name or the verification fails */
export async function buildModel(
  { name, version, statistics, checkpoint, network, data: source }: ExportOptions & { readonly version: string },
  backend: Backend,
): Promise<BuiltModel> {
  requireModelName('--name', name);
  const trained = await loadModel(checkpoint, network);
  const { record } = trained;
  const data = await loadSource({ ...record?.data.source, ...source }, record?.config.seed ?? 0);
  const { model, scores } = await chooseStatistics(describedBy(data, trained), statistics, data, backend);
  const files = new Map([
    ['model.onnx', encode(model, 'running')],
    ['batch-statistics.onnx', encode(model, 'batch')],
  ]);
  const verification = await verifyExport(backend, model, files.get('model.onnx') ?? new Uint8Array(), data.test);
  const metrics = await testMetrics(backend, model, data.test);
  const card = modelCard({ name, version, model, statistics, scores, metrics, verification, files });
  return { card, files: new Map([...files, ['card.json', toJson(card)]]) };
}

async function chooseStatistics(trained: TrainedModel, source: StatisticsSource, data: Splits, backend: Backend) {
  const population = await populationStatistics(backend, trained.plan, trained.tensors, data.train);
  const full = { ...trained, tensors: population };
  const objective = objectiveOf(trained);
  const { name, better } = objectiveRuleOf(objective).score;
  const scores: Scores = {
    name,
    better,
    test: {
      running: await testScore(backend, trained, data),
      population: await testScore(backend, full, data),
      batchOfOne: await testScore(backend, trained, data, { mode: 'batchStatistics', batchSize: 1 }),
    },
    baseline: baselineOf(objective, data.train, data.test).score,
  };
  return { model: source === 'running' ? trained : full, scores };
}

async function testScore(
  backend: Backend,
  model: TrainedModel,
  { test }: Splits,
  options?: Parameters<typeof createEvaluator>[2],
): Promise<number> {
  const evaluator = await createEvaluator(backend, model.plan, options);
  const { score } = await evaluator.evaluate(model.tensors, test, objectiveOf(model));
  await evaluator.release();
  return score;
}

async function testMetrics(backend: Backend, model: TrainedModel, test: Dataset) {
  const evaluator = await createEvaluator(backend, model.plan);
  const output = await evaluator.logits(model.tensors, test);
  await evaluator.release();
  return reportOn(test, output, objectiveOf(model)).metrics;
}

function encode(model: TrainedModel, statistics: NodeStatistics): Uint8Array {
  const { plan, record, classes, columns } = model;
  return encodeModel(exportGraph(model, statistics), {
    network: JSON.stringify(plan.network),
    classes: JSON.stringify(classes),
    ...(columns && { columns: JSON.stringify(columns) }),
    statistics:
      statistics === 'running' ? 'fixed running statistics' : 'statistics of each mini-batch (training_mode 1)',
    ...(record && { data: record.data.name, training: JSON.stringify(record.config) }),
  });
}

/**
 * @param folder below `models`: a model's, or one of its versions'
 * @throws UserError when there is no card, or it is none
 */
export async function readCard(models: string, folder: string): Promise<ModelCard> {
  const path = join(models, folder, 'card.json');
  try {
    return JSON.parse(new TextDecoder().decode(await readBytes(path))) as ModelCard;
  } catch (error) {
    throw error instanceof SyntaxError ? unexpected(path, 'a model card in JSON', 'none') : error;
  }
}

const toJson = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
