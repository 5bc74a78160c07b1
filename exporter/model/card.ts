/** The model card: what is known of a deployed model, beside its files. */
import { createHash } from 'node:crypto';
import { objectiveOf, storedRecord, type TrainedModel } from '../../training/checkpoint/index.ts';
import type { Column } from '../../training/data/index.ts';
import type { Network } from '../../training/network/index.ts';
import {
  type Objective,
  objectiveOfOutputs,
  objectiveRuleOf,
  type Report,
  type Score,
} from '../../training/objective/index.ts';
import { inputNameOf, outputNameOf, outputsOf } from './graph.ts';
import type { Verification } from './verify.ts';

/** Where the exported running statistics come from: the average kept in training, or a pass over the training set. */
export type StatisticsSource = 'running' | 'population';

/** On the test samples, by the score that the model's objective is judged by. */
export interface Scores {
  readonly name: Score['name'];
  readonly better: Score['better'];
  readonly test: TestScores;
  /** Of answering the most frequent class, or the mean, of the training part for each sample. */
  readonly baseline: number;
}

/** With either statistics, and without any that are fixed. */
export interface TestScores {
  readonly running: number;
  readonly population: number;
  /** Each sample alone, normalized by its own statistics. */
  readonly batchOfOne: number;
}

export interface ModelFile {
  readonly sha256: string;
  readonly bytes: number;
}

export interface ModelCard {
  readonly name: string;
  /** The part of the URL; releases count it up. */
  readonly version: string;
  readonly description: string;
  /** The classes in the order of the logits; none for numbers. */
  readonly labels?: readonly string[];
  readonly inputs: readonly TensorCard[];
  readonly outputs: readonly TensorCard[];
  readonly statistics: StatisticsSource;
  readonly scores: Scores;
  /** All that was measured of the exported file's statistics on the test set. */
  readonly metrics?: Report['metrics'];
  readonly verification: Verification;
  readonly network: Network;
  readonly training: ReturnType<typeof storedRecord> | null;
  readonly files: Readonly<Record<string, ModelFile>>;
}

interface TensorCard {
  readonly name: string;
  /** What the numbers of a row mean. A category comes by its index, a missing value as NaN if something stands in for it. */
  readonly columns?: readonly Column[];
  readonly datatype: 'FP32';
  /** −1 is the number of samples. */
  readonly shape: readonly number[];
}

export interface CardFacts {
  readonly name: string;
  readonly version: string;
  readonly model: TrainedModel;
  readonly statistics: StatisticsSource;
  readonly scores: Scores;
  readonly metrics: Report['metrics'];
  readonly verification: Verification;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export function modelCard(facts: CardFacts): ModelCard {
  const { name, version, model, statistics, scores, metrics, verification, files } = facts;
  const { plan, record, classes, columns } = model;
  const { inputShape } = plan.network;
  const [input, output] = [inputNameOf(model), outputNameOf(model)];
  const objective = objectiveOf(model);
  const data = record?.data.name ?? 'unknown data';
  const taken = columns ? `rows of ${columns.map((column) => column.name).join(', ')}` : 'raw inputs';
  const answer = objectiveRuleOf(objective).agreement.of;
  return {
    name,
    version,
    description: `${plan.network.name} trained on ${data}: ${taken} in, ${answer} out`,
    ...(classes.length > 0 && { labels: classes }),
    inputs: [{ name: input, datatype: 'FP32', shape: [-1, ...inputShape], ...(columns && { columns }) }],
    outputs: [{ name: output, datatype: 'FP32', shape: [-1, outputsOf(model)] }],
    statistics,
    scores,
    metrics,
    verification,
    network: plan.network,
    training: record ? storedRecord(record, objective) : null,
    files: Object.fromEntries([...files].map(([file, bytes]) => [file, describeFile(bytes)])),
  };
}

/** What the model was trained for, as far as the card tells. */
export const objectiveOfCard = ({ training, labels = [], outputs }: ModelCard): Objective =>
  training?.config.objective ?? objectiveOfOutputs(labels.length, outputs[0]?.shape.at(-1) ?? NaN);

export const describeFile = (bytes: Uint8Array): ModelFile => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  bytes: bytes.byteLength,
});
