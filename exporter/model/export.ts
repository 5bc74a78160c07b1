/** Turns a checkpoint into a verified model folder: `model.onnx`, some samples with their answers, and `card.json`. */
import { type Backend, nativeBackend } from '../../training/backend/index.ts';
import { countLabels, type Dataset, digestOf, type LoadedData, referencesOf } from '../../training/data/index.ts';
import { objectiveOf, type TrainedModel } from '../../training/checkpoint/index.ts';
import { releasing } from '../../training/files/index.ts';
import { layersOf } from '../../training/network/index.ts';
import { baselineOf, objectiveRuleFor, scaledBy } from '../../training/objective/index.ts';
import { createEvaluator } from '../../training/trainer/index.ts';
import {
  cardBytes,
  cardFile,
  describeFile,
  type ModelCard,
  type Scores,
  type StatisticsSource,
} from '../store/card.ts';
import { requireModelName } from '../store/model-name.ts';
import { replaceFolder } from '../store/replace-folder.ts';
import { samplesFile } from '../store/samples.ts';
import { contentsBeforeExport } from '../store/folder-contents.ts';
import { type Files, nextVersion } from '../store/versions.ts';
import { betterBefore } from './better-before.ts';
import { type ExportedCard, modelCard } from './card.ts';
import { type ExportSource, fittedModel, type States } from './fitted-model.ts';
import { exportFile } from './inference-graph.ts';
import { importanceOfFile, qualityOf } from './quality.ts';
import { encodeSamples } from './samples.ts';
import { answersOfFile, verifyExport } from './verify.ts';

export interface ExportOptions extends ExportSource {
  /** The folder in `models` and the name under which the Worker serves it. */
  readonly name: string;
  readonly models: string;
  /** Makes the Worker show what Batch Norm does in this model. Default: as in the former export, otherwise false. */
  readonly explain?: boolean | undefined;
  /** Makes the Worker count the model's requests. Default: as in the former export, otherwise false. */
  readonly monitor?: boolean | undefined;
  /** Replaces a model from elsewhere that has the name. */
  readonly overwrite?: boolean | undefined;
}

/** The members that a new card keeps from a former one. */
type Kept =
  | 'version'
  | 'explain'
  | 'monitor'
  | 'unknown'
  | 'weights'
  | 'weightsIn'
  | 'engine'
  | 'threshold'
  | 'interval'
  | 'intervals';

/** A card and the files it describes, with `card.json` among them. */
export interface BuiltModel {
  readonly card: ExportedCard;
  readonly files: Files;
}

/**
 * Exports a model, which replaces its current version; an earlier version that is kept beside it stays.
 *
 * @param backend ONNX Runtime's native one by default
 * @param note receives remarks on anything unusual
 * @param onStage receives the name of each stage
 * @throws UserError if the checkpoint, the name or the verification fails, or the name is taken; a former model is then
 *   untouched
 */
export async function exportModel(
  options: ExportOptions,
  backend?: Backend,
  note?: (line: string) => void,
  onStage?: (stage: string) => void,
): Promise<ExportedCard> {
  const { models, name } = options;
  const standing = await contentsBeforeExport(options);
  const { recalibrated, version } = standing.card;
  // The former version's number belongs to the recalibrated statistics. The new model gets another, since a number
  // never names two models.
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
 * @param former what the card keeps: the version that the model gets, and what the user has set in the card
 * @throws UserError if the checkpoint, the name or the verification fails
 */
export async function buildModel(
  { name, statistics = 'running', ...options }: ExportOptions,
  former: Pick<ModelCard, Kept>,
  backend?: Backend,
  note: (line: string) => void = () => undefined,
  onStage: (stage: string) => void = () => undefined,
): Promise<BuiltModel> {
  requireModelName('--name', name);
  const runtime = backend ?? (await nativeBackend());
  const fromRun = await fittedModel({ ...options, statistics }, former, runtime, note, onStage);
  const { described, model, data, states, fit } = fromRun;
  const { train, validation, test } = data;
  const file = exportFile(model, fit.temperature);
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
    monitor: options.monitor ?? former.monitor,
    unknown: former.unknown,
    weights: former.weights,
    weightsIn: former.weightsIn,
    engine: former.engine ?? 'auto',
    model,
    sha256: digestOf(train, validation),
    classShares: classSharesOf(train),
    reference: model.columns && train.count > 0 ? referencesOf(model.columns, train.inputs, train.count) : undefined,
    statistics,
    scores: test.count > 0 ? scoresOf(described, outputs, data) : undefined,
    quality: { ...qualityOf(model, fit, test, outputs[statistics]), ...(importance && { importance }) },
    verification: verifyExport(model, scaledBy(outputs[statistics], fit.temperature), answers, samples),
    files: new Map([...files].map(([file, bytes]) => [file, describeFile(bytes)])),
  });
  return { card, files: new Map([...files, [cardFile, cardBytes(card)]]) };
}

function classSharesOf(train: Dataset): readonly number[] | undefined {
  if (train.task !== 'classification' || train.count === 0) return undefined;
  return Array.from(countLabels(train.labels, train.classes.length), (count) => count / train.count);
}

/** Returns the test samples or, if there are none, others that the model can be run on. */
const verifiable = ({ test, validation, train }: LoadedData): Dataset =>
  [test, validation].find(({ count }) => count > 0) ?? train;

type Outputs = Readonly<Record<StatisticsSource | 'batchOfOne', Float32Array>>;

/** Returns the training graph's answers to the samples with either statistics, and with each sample's own. */
async function outputsOf(
  backend: Backend,
  { plan, tensors }: TrainedModel,
  { running, population }: States,
  samples: Dataset,
): Promise<Outputs> {
  await using evaluator = releasing(await createEvaluator(backend, plan));
  const outputOfRunning = await evaluator.logits(running, samples);
  const hasBatchNorm = layersOf(plan).some(({ layer }) => layer.kind === 'batchNorm');
  const outputOfPopulation = hasBatchNorm ? await evaluator.logits(population, samples) : outputOfRunning;
  const outputs = { running: outputOfRunning, population: outputOfPopulation };
  if (!hasBatchNorm) return { ...outputs, batchOfOne: outputOfRunning };
  await using alone = releasing(await createEvaluator(backend, plan, { mode: 'batchStatistics', batchSize: 1 }));
  return { ...outputs, batchOfOne: await alone.logits(tensors, samples) };
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
