/** Checkpoint in, verified model folder out: `model.onnx`, some samples with their answers, and `card.json`. */
import { type Backend, nativeBackend } from '../../training/backend/index.ts';
import {
  countLabels,
  type Dataset,
  type DataSource,
  digestOf,
  type LoadedData,
  loadSource,
  sourceName,
} from '../../training/data/index.ts';
import { unexpected } from '../../training/files/index.ts';
import { encodeModel } from '../../training/graph/index.ts';
import {
  describedBy,
  isTrainedOn,
  knowledgeOf,
  loadModel,
  objectiveOf,
  type TrainedModel,
} from '../../training/checkpoint/index.ts';
import { layersOf, type Network } from '../../training/network/index.ts';
import { baselineOf, objectiveRuleFor, type ReadingWish, scaledBy } from '../../training/objective/index.ts';
import { createEvaluator, populationStatistics, type State } from '../../training/trainer/index.ts';
import { cardBytes, cardFile, type ModelCard, type Scores, type StatisticsSource } from '../store/card.ts';
import { requireModelName } from '../store/model-name.ts';
import { replaceFolder } from '../store/replace-folder.ts';
import { samplesFile } from '../store/samples.ts';
import { placeOfExport } from '../store/standing.ts';
import { type Files, nextVersion } from '../store/versions.ts';
import { betterBefore } from './better-before.ts';
import { type ExportedCard, modelCard } from './card.ts';
import { exportGraph } from './graph.ts';
import { fitted, importanceOfFile, qualityOf, wishFor } from './quality.ts';
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
  /** Whether a model from elsewhere that has the name is replaced. */
  readonly overwrite?: boolean | undefined;
  /** For a checkpoint that does not describe its network. */
  readonly network?: Network | undefined;
  /** Where the checkpoint's own data are now, or what else to read of them; and data for a checkpoint that names none. */
  readonly data?: DataSource | undefined;
  /** How answers are read; as a former export was told when omitted. */
  readonly reading?: ReadingWish | undefined;
}

/** What a card keeps of a former one. */
type Kept =
  'version' | 'explain' | 'unknown' | 'weights' | 'weightsIn' | 'engine' | 'threshold' | 'interval' | 'intervals';

/** A card and the files it describes, itself among them. */
export interface BuiltModel {
  readonly card: ExportedCard;
  readonly files: Files;
}

/**
 * Replaces the current version of a model; an earlier one that is kept beside it stays.
 *
 * @param backend ONNX Runtime's native one when omitted
 * @param note is told what is odd
 * @param onStage is told what is under way
 * @throws UserError when the checkpoint, the name or the verification fails, or the name is taken; a former model is then untouched
 */
export async function exportModel(
  options: ExportOptions,
  backend?: Backend,
  note?: (line: string) => void,
  onStage?: (stage: string) => void,
): Promise<ExportedCard> {
  const { models, name } = options;
  const standing = await placeOfExport(options);
  const { recalibrated, version } = standing.card;
  // Its number is that of the statistics that were measured anew: it never means two models.
  const former = recalibrated ? { ...standing.card, version: nextVersion(standing.all) } : standing.card;
  const { card, files } = await buildModel(options, former, backend, note, onStage);
  if (recalibrated) {
    note?.(
      `version ${version} was recalibrated on ${recalibrated.data}; version ${card.version}, which takes its place, is not`,
    );
  }
  const better = betterBefore(standing.card, card);
  if (better !== undefined) note?.(better);
  await replaceFolder(models, name, new Map([...standing.staying, ...files]));
  return card;
}

/**
 * @param former what the card keeps: the version that the model gets, and what somebody has set in the card
 * @throws UserError when the checkpoint, the name or the verification fails
 */
export async function buildModel(
  { name, checkpoint, network, data: source, statistics = 'running', ...options }: ExportOptions,
  former: Pick<ModelCard, Kept>,
  backend?: Backend,
  note: (line: string) => void = () => undefined,
  onStage: (stage: string) => void = () => undefined,
): Promise<BuiltModel> {
  requireModelName('--name', name);
  onStage('read the checkpoint and its data');
  const trained = await loadModel(checkpoint, network);
  const data = await loadOwnData(trained, source, note);
  const { train, validation, test } = data;
  const runtime = backend ?? (await nativeBackend());
  const described = describedBy(data, trained);
  onStage('measure the statistics and the scores');
  const states = await statesOf(described, train, runtime);
  const model = { ...described, tensors: states[statistics] };
  const wish = wishFor(options.reading ?? {}, former, model, note);
  const fit = await fitted(runtime, model, states[statistics], validation, wish);
  for (const line of fit.notes) note(line);
  const file = encode(model, fit.temperature);
  const samples = verifiable(data);
  const outputs = await outputsOf(runtime, described, states, samples);
  onStage('hold the file against the training graph');
  const answers = await answersOfFile(runtime, model, file, samples);
  onStage('find out what each column is worth');
  const importance = await importanceOfFile(runtime, model, file, test);
  const files = new Map([
    ['model.onnx', file],
    [samplesFile, encodeSamples(samples, answers)],
  ]);
  const card = modelCard({
    name,
    version: former.version,
    explain: options.explain ?? former.explain,
    unknown: former.unknown,
    weights: former.weights,
    weightsIn: former.weightsIn,
    engine: former.engine ?? 'auto',
    model,
    sha256: digestOf(train, validation),
    classShares: classSharesOf(train),
    statistics,
    scores: test.count > 0 ? scoresOf(described, outputs, data) : undefined,
    quality: { ...qualityOf(model, fit, test, outputs[statistics]), ...(importance && { importance }) },
    verification: verifyExport(model, scaledBy(outputs[statistics], fit.temperature), answers, samples),
    files,
  });
  return { card, files: new Map([...files, [cardFile, cardBytes(card)]]) };
}

function classSharesOf(train: Dataset): readonly number[] | undefined {
  if (train.task !== 'classification' || train.count === 0) return undefined;
  return Array.from(countLabels(train.labels, train.classes.length), (count) => count / train.count);
}

/** @throws UserError where the run's own data are others by now, unless somebody names them */
async function loadOwnData(
  trained: TrainedModel,
  source: DataSource | undefined,
  note: (line: string) => void,
): Promise<LoadedData> {
  const { record } = trained;
  const all = { ...record?.data.source, ...source };
  const data = await loadSource(all, record?.config.seed ?? 0, knowledgeOf(trained, all));
  if (isTrainedOn(data, trained) !== false) return data;
  const where = all.path ?? sourceName(all);
  if (!source) {
    const got = `others; --data ${where} verifies and scores it with these`;
    throw unexpected(where, 'the samples that the model was trained on', got);
  }
  note(`${where} is not what the model was trained on: the scores are of samples that it may have been trained on`);
  return data;
}

/** The test samples; without any, others that the model can be asked. */
const verifiable = ({ test, validation, train }: LoadedData): Dataset =>
  [test, validation].find(({ count }) => count > 0) ?? train;

type States = Readonly<Record<StatisticsSource, State>>;

async function statesOf({ plan, tensors }: TrainedModel, train: Dataset, backend: Backend): Promise<States> {
  return { running: tensors, population: await populationStatistics(backend, plan, tensors, train) };
}

type Outputs = Readonly<Record<StatisticsSource | 'batchOfOne', Float32Array>>;

/** What the training graph gives for the samples with either statistics, and with those of each sample alone. */
async function outputsOf(
  backend: Backend,
  { plan, tensors }: TrainedModel,
  { running, population }: States,
  samples: Dataset,
): Promise<Outputs> {
  const evaluator = await createEvaluator(backend, plan);
  const outputOfRunning = await evaluator.logits(running, samples);
  const hasBatchNorm = layersOf(plan).some(({ layer }) => layer.kind === 'batchNorm');
  const outputOfPopulation = hasBatchNorm ? await evaluator.logits(population, samples) : outputOfRunning;
  await evaluator.release();
  const outputs = { running: outputOfRunning, population: outputOfPopulation };
  if (!hasBatchNorm) return { ...outputs, batchOfOne: outputOfRunning };
  const alone = await createEvaluator(backend, plan, { mode: 'batchStatistics', batchSize: 1 });
  const batchOfOne = await alone.logits(tensors, samples);
  await alone.release();
  return { ...outputs, batchOfOne };
}

function scoresOf(trained: TrainedModel, outputs: Outputs, { train, test }: LoadedData): Scores {
  const objective = objectiveOf(trained);
  const { score, evaluate } = objectiveRuleFor(objective, test);
  const scoreOf = (output: Float32Array): number => evaluate(objective, output, test).score;
  return {
    name: score.name,
    better: score.better,
    test: {
      running: scoreOf(outputs.running),
      population: scoreOf(outputs.population),
      batchOfOne: scoreOf(outputs.batchOfOne),
    },
    baseline: baselineOf(objective, train, test).score,
  };
}

function encode(model: TrainedModel, temperature: number | undefined): Uint8Array {
  const { plan, record, classes, columns } = model;
  return encodeModel(exportGraph(model, 'running', temperature), {
    network: JSON.stringify(plan.network),
    classes: JSON.stringify(classes),
    ...(columns && { columns: JSON.stringify(columns) }),
    statistics: 'fixed running statistics',
    ...(record && { data: record.data.name, training: JSON.stringify(record.config) }),
  });
}
