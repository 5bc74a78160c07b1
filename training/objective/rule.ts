/** What an objective's rule says: the data it is for, the nodes it emits, how outputs are judged, and what a client gets. */
import type { Calibration, Threshold } from '../answers/index.ts';
import type { Dataset } from '../data/index.ts';
import type { GraphBuilder, Tensor, Value } from '../graph/index.ts';
import type { ConfusionMatrix } from './metrics/confusion.ts';
import type { Objective, ObjectiveKind, ObjectiveOf } from './objective.ts';

/** A measure of how good a network is on a data set. */
export interface Score {
  readonly name: string;
  /** Its name in files: metrics.jsonl, TensorBoard's events, checkpoints, figures. */
  readonly key: string;
  readonly better: 'higher' | 'lower';
  readonly format: (value: number) => string;
}

/** What the numbers are that an exported file gives for a sample. */
export const outputKinds = ['logits', 'probabilities', 'multi-label', 'number'] as const;

export type OutputKind = (typeof outputKinds)[number];

/** Means over the samples of a data set, or of an epoch. */
export interface Evaluation {
  /** Cross-entropy, or the objective's own error of numbers. */
  readonly loss: number;
  /** The objective's. */
  readonly score: number;
}

/** What answering the same for every sample comes to. */
export interface Baseline {
  /** The answer that suits the training part, for people. */
  readonly answer: string;
  /** On the test part. */
  readonly score: number;
}

/** All that is measured of a network on a data set. */
export interface Report {
  /** By name, the objective's score among them. */
  readonly metrics: Readonly<Record<string, number>>;
  /** By class and predicted class; none where a sample is not of one class. */
  readonly confusion: ConfusionMatrix | undefined;
  /** None where answers have no probabilities. */
  readonly calibration?: Calibration | undefined;
}

/** Of a network, some of whose answers may be no numbers. */
export interface CheckedReport extends Report {
  /** How many samples have an answer that is not finite: they are in no metric. */
  readonly nonFinite: number;
}

/** How answers are read beside what the network gives: by what was fitted to the validation part, or set by somebody. */
export interface Reading {
  /** Between two classes; the most probable one is told without it. */
  readonly threshold?: Threshold | undefined;
  /** Half the width of what stands around a number. */
  readonly halfWidth?: number | undefined;
}

/** A wrong answer. */
export interface Mistake {
  /** The sample's number in its part of the data, from 0. */
  readonly sample: number;
  readonly expected: string;
  readonly got: string;
  /** How wrong it is: `98.1 %` for the probability of what was answered, or the size of the error. */
  readonly detail: string;
}

/** How the answers of an exported file are compared with the network's. */
export interface Agreement {
  /** What an answer is. */
  readonly of: string;
  /** What a comparison without complaint has shown, up to the largest difference. */
  readonly shown: string;
  /** A difference counts as it is, or in parts of the largest number of all answers. */
  readonly measured: 'absolute' | 'relative';
  /** What has to be the very same, such as `class 3`. */
  readonly decision?: (answer: Float32Array) => string;
}

/** What a user may ask for when an objective is chosen. */
export interface ObjectiveOptions {
  /** The share of the target that spreads over all classes. */
  readonly labelSmoothing?: number | undefined;
  /** Whether rare classes weigh as much as frequent ones. */
  readonly balanceClasses?: boolean | undefined;
  /** The error from which on the loss grows as a line, in standard deviations of the numbers. */
  readonly huberDelta?: number | undefined;
}

export interface ObjectiveRule<K extends ObjectiveKind, D extends Dataset = Dataset> {
  readonly task: D['task'];
  /** How many classes the data must have; any number when omitted. */
  readonly classes?: number;

  /** The options that it takes, and itself for a data set with what was asked for. */
  readonly options: readonly (keyof ObjectiveOptions)[];
  readonly create: (options: ObjectiveOptions, dataset: D) => Objective;

  /** How many numbers a network gives for a sample. */
  readonly outputs: (classes: number) => number;
  /** What of the answers of several members has a mean that is an answer again: what `heads` has to average. */
  readonly average: 'softmax' | 'sigmoid' | 'values';
  /** The targets in the graph: their element type, and their shape for one sample of a network with so many outputs. */
  readonly targets: {
    readonly dtype: 'int32' | 'float32';
    readonly shape: (outputs: number) => readonly number[];
  };
  /** The targets of a data set for the graph: `[count, ..shape]`. */
  readonly targetsOf: (dataset: D) => Tensor<'int32' | 'float32'>;
  /** The mean over the mini-batch, a scalar: `output [B, outputs]`, `targets [B, ..shape]`. */
  readonly emitLoss: (g: GraphBuilder, objective: ObjectiveOf<K>, output: Value, targets: Value) => Value;
  /** What the mini-batch adds to the score of training: how many are right, or the sum of squared errors in units. */
  readonly emitScore: (g: GraphBuilder, objective: ObjectiveOf<K>, output: Value, targets: Value) => Value;
  /** The mean loss and the score of training from the mean loss and the sum of `emitScore`. */
  readonly summarize: (objective: ObjectiveOf<K>, loss: number, sum: number, count: number) => Evaluation;

  /** What a run is judged by. */
  readonly score: Score;
  /** The score, and all else that a report may have. */
  readonly measures: readonly Score[];
  /** Over a data set: `output [count · outputs]`. */
  readonly evaluate: (objective: ObjectiveOf<K>, output: Float32Array, dataset: D) => Evaluation;
  /** Of what the network gives, or of what the exported file does. */
  readonly report: (output: Float32Array, dataset: D, reading?: Reading) => Report;
  /** Of the same, the worst first. */
  readonly mistakes: (output: Float32Array, dataset: D, reading?: Reading) => readonly Mistake[];
  /** What grows when a network knows less, for people and over a data set: of the same outputs. */
  readonly risk: { readonly name: string; readonly of: (output: Float32Array, dataset: D) => number };
  readonly baseline: (train: D, test: D) => Baseline;
  /** What should have been answered, for people. */
  readonly expected: (dataset: D, sample: number) => string;
  /** Answers as a table: the names of its columns, and what stands there for a sample. */
  readonly predictions: {
    readonly header: (dataset: D, reading?: Reading) => readonly string[];
    readonly row: (output: Float32Array, dataset: D, sample: number, reading?: Reading) => readonly string[];
  };

  /** What the exported file gives. */
  readonly output: OutputKind;
  /** How many numbers the exported file gives for a sample, of a network with so many outputs. */
  readonly answers: (outputs: number) => number;
  /** What the exported file makes of the network's output, `[N, outputs]` to `[N, answers]`, as nodes and on the host. */
  readonly emitAnswer: (g: GraphBuilder, output: Value) => Value;
  readonly answerOf: (output: Float32Array, count: number) => Float32Array;
  readonly agreement: Agreement;
}
