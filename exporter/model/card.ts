/** Writes the card of an exported model from what training and the export know of it. */
import { objectiveOf, type TrainedModel, type TrainingRecord } from '../../training/checkpoint/index.ts';
import { type Objective, objectiveOfOutputs, objectiveRuleOf } from '../../training/objective/index.ts';
import { bestEpoch } from '../../training/trainer/index.ts';
import type { ModelCard, ModelFile, Scores, TensorCard, TrainingSummary } from '../store/card.ts';
import { inputNameOf, outputKindOf, outputNameOf, outputsOf } from './inference-graph.ts';
import type { Quality } from './quality.ts';
import type { Verification } from './verify.ts';

type ExportedMember =
  | 'name'
  | 'description'
  | 'output'
  | 'inputs'
  | 'outputs'
  | 'statistics'
  | 'metrics'
  | 'verification'
  | 'network'
  | 'files';

/** The card of a model of this project, which has nearly all members. */
export type ExportedCard = ModelCard & Required<Pick<ModelCard, ExportedMember>>;

export interface CardFacts extends Pick<ExportedCard, 'name' | 'version' | 'explain' | 'statistics'> {
  /** `monitor` makes the Worker count the model's requests. Default: it does not. */
  readonly monitor?: ModelCard['monitor'] | undefined;
  readonly unknown: ModelCard['unknown'];
  readonly model: TrainedModel;
  readonly weights: ModelCard['weights'] | undefined;
  readonly weightsIn: ModelCard['weightsIn'] | undefined;
  readonly engine: NonNullable<ModelCard['engine']>;
  /** The hash of the training and validation samples, given for a model with a training record. */
  readonly sha256?: string;
  /** The shares of the classes among the training samples; undefined for numbers. */
  readonly classShares: readonly number[] | undefined;
  /** `reference` says how the values of the columns are spread among the training samples. */
  readonly reference?: ModelCard['reference'] | undefined;
  /** `scores` is undefined if there are no test samples. */
  readonly scores: Scores | undefined;
  readonly quality: Quality;
  readonly verification: Verification;
  readonly files: ReadonlyMap<string, ModelFile>;
}

export function modelCard(facts: CardFacts): ExportedCard {
  const {
    name,
    version,
    explain,
    monitor,
    unknown,
    weights,
    weightsIn,
    engine,
    model,
    sha256,
    classShares,
    reference,
    statistics,
    scores,
    quality: { metrics, threshold, interval, intervals, ...quality },
    verification,
    files,
  } = facts;
  const { plan, record, classes, columns, picture } = model;
  const input: TensorCard = { name: inputNameOf(model), datatype: 'FP32', shape: [-1, ...plan.network.inputShape] };
  const output: TensorCard = { name: outputNameOf(model), datatype: 'FP32', shape: [-1, outputsOf(model)] };
  const objective = objectiveOf(model);
  return {
    name,
    version,
    description: descriptionOf(model),
    ...(classes.length > 0 && { labels: classes }),
    output: { name: output.name, kind: outputKindOf(model) },
    explain,
    ...(monitor && { monitor }),
    ...(unknown && { unknown }),
    ...(weights && { weights }),
    ...(weightsIn && { weightsIn }),
    engine,
    ...(threshold && { threshold }),
    ...(interval !== undefined && { interval }),
    ...(intervals && { intervals }),
    inputs: [{ ...input, ...(columns && { columns }), ...(picture && { picture }) }],
    outputs: [output],
    statistics,
    ...(scores && { scores }),
    // A metric that the samples do not define, such as the area under the curve of a class that none of them has, is
    // NaN.
    metrics: Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value))),
    ...quality,
    verification,
    ...(reference && { reference }),
    network: plan.network,
    ...(record && {
      training: summaryOf(record, objective, {
        ...(sha256 !== undefined && { sha256 }),
        ...(columns && record.data.source?.label !== undefined && { label: record.data.source.label }),
        ...(classShares && { classShares }),
      }),
    }),
    files: Object.fromEntries(files),
  };
}

const maxColumns = 6;

/** Returns what a user wants to read first: what the model predicts, and from what. */
function descriptionOf(model: TrainedModel): string {
  const { plan, record, columns } = model;
  const { name = 'unknown data', source } = record?.data ?? {};
  if (!columns || source?.label === undefined) {
    const { answerName } = objectiveRuleOf(objectiveOf(model)).agreement;
    return `${plan.network.name} trained on ${name}: ${columns ? 'rows' : 'raw inputs'} in, ${answerName} out`;
  }
  const names = columns.slice(0, maxColumns).map((column) => column.name);
  const more = columns.length - names.length;
  return `Predicts ${source.label} from ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function summaryOf(
  { data, config, engine, steps, history }: TrainingRecord,
  { kind: objective }: Objective,
  known: Pick<TrainingSummary['data'], 'sha256' | 'label' | 'classShares'>,
): TrainingSummary {
  const { name, train, validation, test } = data;
  const { optimizer, learningRate, schedule, batchSize, augment, bnMomentum, seed } = config;
  const length = { epochs: history.length, bestEpoch: bestEpoch(history) };
  return {
    data: { name, train, validation, test, ...known },
    objective,
    optimizer,
    learningRate,
    schedule,
    ...length,
    batchSize,
    ...(augment && { augment }),
    bnMomentum,
    seed,
    engine,
    steps,
  };
}

/** Returns what the model was trained for, as far as the card says. */
export const objectiveOfCard = ({ training, labels = [], outputs }: ExportedCard): Pick<Objective, 'kind'> =>
  training ? { kind: training.objective } : objectiveOfOutputs(labels.length, outputs[0]?.shape?.at(-1) ?? NaN);
