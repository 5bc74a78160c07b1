/** The card of an exported model, from what training and the export know of it. */
import { objectiveOf, type TrainedModel, type TrainingRecord } from '../../training/checkpoint/index.ts';
import { type Objective, objectiveOfOutputs, objectiveRuleOf } from '../../training/objective/index.ts';
import { bestEpoch } from '../../training/trainer/index.ts';
import type { ModelCard, ModelFile, Scores, TensorCard, TrainingSummary } from '../store/card.ts';
import { inputNameOf, outputKindOf, outputNameOf, outputsOf } from './graph.ts';
import type { Quality } from './quality.ts';
import type { Verification } from './verify.ts';

type Known =
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

/** Of a model of this project, whose card has nearly everything. */
export type ExportedCard = ModelCard & Required<Pick<ModelCard, Known>>;

export interface CardFacts extends Pick<ExportedCard, 'name' | 'version' | 'explain' | 'statistics'> {
  /** Whether its answers are counted; not when omitted. */
  readonly monitor?: ModelCard['monitor'] | undefined;
  readonly unknown: ModelCard['unknown'];
  readonly model: TrainedModel;
  readonly weights: ModelCard['weights'] | undefined;
  readonly weightsIn: ModelCard['weightsIn'] | undefined;
  readonly engine: NonNullable<ModelCard['engine']>;
  /** Of the training and validation samples; told of a model with a record. */
  readonly sha256?: string;
  /** Of the classes among the training samples; undefined for numbers. */
  readonly classShares: readonly number[] | undefined;
  /** How its columns are spread among the training samples. */
  readonly reference?: ModelCard['reference'] | undefined;
  /** None without test samples. */
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
    // A metric that the samples do not define, such as the area of a class that none of them has, is no number.
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

const mostColumns = 6;

/** What a user wants to read of it: what is told from what. */
function descriptionOf(model: TrainedModel): string {
  const { plan, record, columns } = model;
  const { name = 'unknown data', source } = record?.data ?? {};
  if (!columns || source?.label === undefined) {
    const { of } = objectiveRuleOf(objectiveOf(model)).agreement;
    return `${plan.network.name} trained on ${name}: ${columns ? 'rows' : 'raw inputs'} in, ${of} out`;
  }
  const names = columns.slice(0, mostColumns).map((column) => column.name);
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

/** What the model was trained for, as far as the card tells. */
export const objectiveOfCard = ({ training, labels = [], outputs }: ExportedCard): Pick<Objective, 'kind'> =>
  training ? { kind: training.objective } : objectiveOfOutputs(labels.length, outputs[0]?.shape?.at(-1) ?? NaN);
