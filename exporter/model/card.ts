/** The model card: what is known of a deployed model, beside its files. */
import { createHash } from 'node:crypto';
import type { TrainedModel, TrainingRecord } from '../../training/checkpoint/model.ts';
import type { Column } from '../../training/data/index.ts';
import type { Network } from '../../training/network/index.ts';
import type { Report } from '../../training/objective/index.ts';
import { inputNameOf, outputNameOf, outputsOf } from './graph.ts';
import type { Verification } from './verify.ts';

/** Where the exported running statistics come from: the average kept in training, or a pass over the training set. */
export type StatisticsSource = 'running' | 'population';

/** Of the test samples: the share classified correctly, in [0, 1], or the root of the mean squared error. */
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
  /** Of classes, or else `rmse` of numbers: with either statistics, and without any that are fixed. */
  readonly accuracy?: { readonly test: TestScores };
  readonly rmse?: { readonly test: TestScores };
  /** All that was measured of the exported file's statistics on the test set. */
  readonly metrics?: Report['metrics'];
  readonly verification: Verification;
  readonly network: Network;
  readonly training: TrainingRecord | null;
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
  readonly scores: TestScores;
  readonly metrics: Report['metrics'];
  readonly verification: Verification;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export function modelCard(facts: CardFacts): ModelCard {
  const { name, version, model, statistics, scores, metrics, verification, files } = facts;
  const { plan, record, classes, columns } = model;
  const { inputShape } = plan.network;
  const [input, output] = [inputNameOf(model), outputNameOf(model)];
  const isClassifier = classes.length > 0;
  const data = record?.data.name ?? 'unknown data';
  const taken = columns ? `rows of ${columns.map((column) => column.name).join(', ')}` : 'raw inputs';
  const answer = isClassifier ? 'logits' : 'a number';
  return {
    name,
    version,
    description: `${plan.network.name} trained on ${data}: ${taken} in, ${answer} out`,
    ...(isClassifier && { labels: classes }),
    inputs: [{ name: input, datatype: 'FP32', shape: [-1, ...inputShape], ...(columns && { columns }) }],
    outputs: [{ name: output, datatype: 'FP32', shape: [-1, outputsOf(model)] }],
    statistics,
    [isClassifier ? 'accuracy' : 'rmse']: { test: scores },
    metrics,
    verification,
    network: plan.network,
    training: record ?? null,
    files: Object.fromEntries([...files].map(([file, bytes]) => [file, describeFile(bytes)])),
  };
}

export const describeFile = (bytes: Uint8Array): ModelFile => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  bytes: bytes.byteLength,
});
