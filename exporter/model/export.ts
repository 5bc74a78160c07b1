/** Checkpoint in, verified model folder out: `model.onnx`, some samples with their answers, and `card.json`. */
import { type Backend, nativeBackend } from '../../training/backend/index.ts';
import { type DataSource, digestOf, type LoadedData, loadSource } from '../../training/data/index.ts';
import { UserError } from '../../training/files/index.ts';
import { encodeModel } from '../../training/graph/index.ts';
import { describedBy, loadModel, objectiveOf, type TrainedModel } from '../../training/checkpoint/index.ts';
import { type Network } from '../../training/network/index.ts';
import { baselineOf, objectiveRuleFor, reportOn } from '../../training/objective/index.ts';
import { createEvaluator, populationStatistics, type State } from '../../training/trainer/index.ts';
import { cardBytes, cardFile, type ModelCard, type Scores, type StatisticsSource } from '../store/card.ts';
import { requireModelName } from '../store/model-name.ts';
import { replaceFolder } from '../store/replace-folder.ts';
import { samplesFile } from '../store/samples.ts';
import { cardOf, type Files, keptOf, readFolder } from '../store/versions.ts';
import { type ExportedCard, modelCard } from './card.ts';
import { exportGraph } from './graph.ts';
import { encodeSamples } from './samples.ts';
import { answersOfFile, verifyExport } from './verify.ts';

export interface ExportOptions {
  readonly checkpoint: string;
  /** The folder in `models` and the name under which the Worker serves it. */
  readonly name: string;
  readonly models: string;
  /** The running average when omitted. */
  readonly statistics?: StatisticsSource | undefined;
  /** Whether the Worker is to show what Batch Norm does in this model; as a former export says when omitted, else not. */
  readonly explain?: boolean | undefined;
  /** For a checkpoint that does not describe its network. */
  readonly network?: Network | undefined;
  /** Where the checkpoint's own data are now, or what else to read of them; and data for a checkpoint that names none. */
  readonly data?: DataSource | undefined;
}

/** A card and the files it describes, itself among them. */
export interface BuiltModel {
  readonly card: ExportedCard;
  readonly files: Files;
}

/**
 * Replaces the current version of a model; an earlier one that is kept beside it stays.
 *
 * @param backend ONNX Runtime's native one when omitted
 * @throws UserError when the checkpoint, the name or the verification fails; a former model is then untouched
 */
export async function exportModel(options: ExportOptions, backend?: Backend): Promise<ExportedCard> {
  const { models, name } = options;
  const standing = await readFolder(models, name);
  const { card, files } = await buildModel(options, cardOf(standing), backend);
  await replaceFolder(models, name, new Map([...files, ...keptOf(standing)]));
  return card;
}

/**
 * @param former what the card keeps: the version that the model gets, and what somebody has set in the card
 * @throws UserError when the checkpoint, the name or the verification fails
 */
export async function buildModel(
  { name, checkpoint, network, data: source, statistics = 'running', ...options }: ExportOptions,
  former: Pick<ModelCard, 'version' | 'explain'>,
  backend?: Backend,
): Promise<BuiltModel> {
  requireModelName('--name', name);
  const trained = await loadModel(checkpoint, network);
  const { record } = trained;
  const data = await loadSource({ ...record?.data.source, ...source }, record?.config.seed ?? 0, trained.picture);
  const { train, validation, test } = data;
  if (test.count === 0) throw new UserError('export: expected test samples to verify the exported file with, got none');
  const runtime = backend ?? (await nativeBackend());
  const { model, output, scores } = await measure(describedBy(data, trained), statistics, data, runtime);
  const file = encode(model);
  const answers = await answersOfFile(runtime, model, file, test);
  const files = new Map([
    ['model.onnx', file],
    [samplesFile, encodeSamples(test, answers)],
  ]);
  const card = modelCard({
    name,
    version: former.version,
    explain: options.explain ?? former.explain,
    model,
    sha256: digestOf(train, validation),
    statistics,
    scores,
    metrics: reportOn(test, output, objectiveOf(model)).metrics,
    verification: verifyExport(model, output, answers, test),
    files,
  });
  return { card, files: new Map([...files, [cardFile, cardBytes(card)]]) };
}

/** The model with the statistics that are wanted, what its training graph gives for the test samples, and the scores of all. */
async function measure(trained: TrainedModel, statistics: StatisticsSource, data: LoadedData, backend: Backend) {
  const { plan, tensors } = trained;
  const { train, test } = data;
  const objective = objectiveOf(trained);
  const { score, evaluate } = objectiveRuleFor(objective, test);
  const scoreOf = (output: Float32Array): number => evaluate(objective, output, test).score;
  const states = { running: tensors, population: await populationStatistics(backend, plan, tensors, train) };
  const outputs = await outputsOf(backend, trained, Object.values(states), data);
  const [running = new Float32Array(), population = new Float32Array()] = outputs;
  const [batchOfOne = new Float32Array()] = await outputsOf(backend, trained, [tensors], data, {
    mode: 'batchStatistics',
    batchSize: 1,
  });
  const scores: Scores = {
    name: score.name,
    better: score.better,
    test: { running: scoreOf(running), population: scoreOf(population), batchOfOne: scoreOf(batchOfOne) },
    baseline: baselineOf(objective, train, test).score,
  };
  const output = { running, population }[statistics];
  return { model: { ...trained, tensors: states[statistics] }, output, scores };
}

/** What the training graph gives for the test samples with each of the states. */
async function outputsOf(
  backend: Backend,
  { plan }: TrainedModel,
  states: readonly State[],
  { test }: LoadedData,
  options?: Parameters<typeof createEvaluator>[2],
): Promise<readonly Float32Array[]> {
  const evaluator = await createEvaluator(backend, plan, options);
  const outputs = [];
  for (const state of states) outputs.push(await evaluator.logits(state, test));
  await evaluator.release();
  return outputs;
}

function encode(model: TrainedModel): Uint8Array {
  const { plan, record, classes, columns } = model;
  return encodeModel(exportGraph(model, 'running'), {
    network: JSON.stringify(plan.network),
    classes: JSON.stringify(classes),
    ...(columns && { columns: JSON.stringify(columns) }),
    statistics: 'fixed running statistics',
    ...(record && { data: record.data.name, training: JSON.stringify(record.config) }),
  });
}
