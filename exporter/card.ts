/** The model card: what is known of a deployed model, beside its files. */
import { createHash } from 'node:crypto';
import type { TrainedModel, TrainingRecord } from '../training/model.ts';
import type { Network } from '../training/network/index.ts';
import { inputNameOf, outputName } from './graph.ts';
import type { Verification } from './verify.ts';

/** Where the exported running statistics come from: the average kept in training, or a pass over the training set. */
export type StatisticsSource = 'running' | 'population';

/** Shares of test samples classified correctly, in [0, 1]. */
export interface TestAccuracy {
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
  readonly labels: readonly string[];
  readonly inputs: readonly TensorCard[];
  readonly outputs: readonly TensorCard[];
  readonly statistics: StatisticsSource;
  readonly accuracy: { readonly test: TestAccuracy };
  readonly verification: Verification;
  readonly network: Network;
  readonly training: TrainingRecord | null;
  readonly files: Readonly<Record<string, ModelFile>>;
}

interface TensorCard {
  readonly name: string;
  readonly datatype: 'FP32';
  /** −1 is the number of samples. */
  readonly shape: readonly number[];
}

export interface CardFacts {
  readonly name: string;
  readonly version: string;
  readonly model: TrainedModel;
  readonly statistics: StatisticsSource;
  readonly accuracy: TestAccuracy;
  readonly verification: Verification;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export function modelCard(facts: CardFacts): ModelCard {
  const { name, version, model, statistics, accuracy, verification, files } = facts;
  const { plan, record, classes } = model;
  const { inputShape } = plan.network;
  return {
    name,
    version,
    description: `${plan.network.name} trained on ${record?.data.name ?? 'unknown data'}: raw inputs in, logits out`,
    labels: classes,
    inputs: [{ name: inputNameOf(model), datatype: 'FP32', shape: [-1, ...inputShape] }],
    outputs: [{ name: outputName, datatype: 'FP32', shape: [-1, classes.length] }],
    statistics,
    accuracy: { test: accuracy },
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
