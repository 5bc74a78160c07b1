/**
 * The interface of an objective's rule: the data it is for, the nodes it emits, how outputs are judged, and what a
 * client gets.
 */
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

/** The meaning of the numbers that an exported file gives for a sample. */
export const outputKinds = ['logits', 'probabilities', 'multi-label', 'number'] as const;

export type OutputKind = (typeof outputKinds)[number];

/** The means over the samples of a data set, or of an epoch. */
export interface Evaluation {
  /** The cross-entropy, or the objective's own error of numbers. */
  readonly loss: number;
  /** The objective's score. */
  readonly score: number;
}

/** The result of giving the same answer for every sample. */
export interface Baseline {
  /** The best constant answer by the training part, as shown to the user. */
  readonly answer: string;
  /** The score on the test part. */
  readonly score: number;
  /** The risk of the best constant answer, see `ObjectiveRule.risk`; absent where the risk is the score. */
  readonly risk?: number;
}

/** All measurements of a network on a data set. */
export interface Report {
  /** Maps the names of metrics to their values; the objective's score is among them. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Counts by class and predicted class; undefined where the targets are not single classes. */
  readonly confusion: ConfusionMatrix | undefined;
  /** Undefined where answers have no probabilities. */
  readonly calibration?: Calibration | undefined;
}

/** The report of a network, some of whose answers may not be finite. */
export interface CheckedReport extends Report {
  /** The number of samples whose answer is not finite. No metric counts them. */
  readonly nonFinite: number;
}

/** How outputs are read as answers: as fitted to the validation part, or as set by the user. */
export interface AnswerRule {
  /** The threshold between two classes. Without it, the most probable class is the answer. */
  readonly threshold?: Threshold | undefined;
  /** Half the width of the interval around a number. */
  readonly halfWidth?: number | undefined;
}

/** A wrong answer. */
export interface Mistake {
  /** The index of the sample in its part of the data. */
  readonly sample: number;
  readonly expected: string;
  readonly got: string;
  /** Says how wrong the answer is: `98.1 %` for its probability, or the size of the error. */
  readonly detail: string;
}

/** The comparison of an exported file's answers with the network's. */
export interface Agreement {
  /** Names an answer in messages. */
  readonly answerName: string;
  /** Says what a successful comparison has shown; the largest difference follows it. */
  readonly successText: string;
  /** Says whether a difference counts as it is, or relative to the largest number of all answers. */
  readonly errorKind: 'absolute' | 'relative';
  /** Returns what must be exactly the same, such as `class 3`. */
  readonly exactPart?: (answer: Float32Array) => string;
}

/** The options that a user may set for an objective. */
export interface ObjectiveOptions {
  /** The share of the target that spreads over all classes. */
  readonly labelSmoothing?: number | undefined;
  /** Is true where rare classes shall weigh as much as frequent ones. */
  readonly balanceClasses?: boolean | undefined;
  /** The error from which the loss grows linearly, in standard deviations of the numbers. */
  readonly huberDelta?: number | undefined;
}

export interface ObjectiveRule<K extends ObjectiveKind, D extends Dataset = Dataset> {
  readonly task: D['task'];
  /** The number of classes that the data must have. Default: any. */
  readonly classes?: number;

  /** `options` lists the options that the objective takes; `create` makes the objective for a data set. */
  readonly options: readonly (keyof ObjectiveOptions)[];
  readonly create: (options: ObjectiveOptions, dataset: D) => Objective;

  /** Returns how many numbers a network gives for a sample. */
  readonly outputs: (classes: number) => number;
  /** Names what `heads` must average over members, so that the mean is a valid answer again. */
  readonly average: 'softmax' | 'sigmoid' | 'values';
  /**
   * The targets in the graph: their element type, and their shape for one sample of a network with the given number of
   * outputs.
   */
  readonly targets: {
    readonly dtype: 'int32' | 'float32';
    readonly shape: (outputs: number) => readonly number[];
  };
  /** Returns the targets of a data set for the graph: `[count, ..shape]`. */
  readonly targetsOf: (dataset: D) => Tensor<'int32' | 'float32'>;
  /** Emits the mean loss over the mini-batch, a scalar: `output [B, outputs]`, `targets [B, ..shape]`. */
  readonly emitLoss: (g: GraphBuilder, objective: ObjectiveOf<K>, output: Value, targets: Value) => Value;
  /**
   * Emits what the mini-batch adds to the training score: the number of right answers, or the sum of squared errors in
   * units.
   */
  readonly emitScore: (g: GraphBuilder, objective: ObjectiveOf<K>, output: Value, targets: Value) => Value;
  /** Computes the mean loss and the score of training from the mean loss and the sum of `emitScore`. */
  readonly summarize: (objective: ObjectiveOf<K>, loss: number, sum: number, count: number) => Evaluation;

  /** The score that a run is judged by. */
  readonly score: Score;
  /** The score, and all other measures that a report may have. */
  readonly measures: readonly Score[];
  /** Computes loss and score over a data set: `output [count · outputs]`. */
  readonly evaluate: (objective: ObjectiveOf<K>, output: Float32Array, dataset: D) => Evaluation;
  /** Reports on the output of the network, or of the exported file. */
  readonly report: (output: Float32Array, dataset: D, answerRule?: AnswerRule) => Report;
  /** Returns the mistakes of the same outputs, worst first. */
  readonly mistakes: (output: Float32Array, dataset: D, answerRule?: AnswerRule) => readonly Mistake[];
  /** The measure that grows when a network knows less, with its name, over a data set and the same outputs. */
  readonly risk: { readonly name: string; readonly of: (output: Float32Array, dataset: D) => number };
  readonly baseline: (train: D, test: D) => Baseline;
  /** Returns the right answer, as shown to the user. */
  readonly expected: (dataset: D, sample: number) => string;
  /** The columns of a table of answers, and the cells of a sample. */
  readonly predictions: {
    readonly header: (dataset: D, answerRule?: AnswerRule) => readonly string[];
    readonly row: (output: Float32Array, dataset: D, sample: number, answerRule?: AnswerRule) => readonly string[];
  };

  /** The kind of the exported file's outputs. */
  readonly output: OutputKind;
  /** Returns how many numbers the exported file gives for a sample, for a network with the given number of outputs. */
  readonly answers: (outputs: number) => number;
  /**
   * Converts the network's output `[N, outputs]` to the exported file's `[N, answers]`, as nodes (`emitAnswer`) and on
   * the host (`answerOf`).
   */
  readonly emitAnswer: (g: GraphBuilder, output: Value) => Value;
  readonly answerOf: (output: Float32Array, count: number) => Float32Array;
  readonly agreement: Agreement;
}
