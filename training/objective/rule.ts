/** What an objective's rule says: the data it is for, the nodes it emits, and how outputs are judged. */
import type { Dataset } from '../data/index.ts';
import type { GraphBuilder, Value } from '../graph/index.ts';
import type { ObjectiveKind, ObjectiveOf } from './objective.ts';

export interface Evaluation {
  /** Mean over the samples: cross-entropy, or the objective's own error of numbers. */
  readonly loss: number;
  /** The share of samples classified correctly, in [0, 1]. */
  readonly accuracy?: number;
  /** The root of the mean squared error. */
  readonly rmse?: number;
}

export interface ObjectiveRule<K extends ObjectiveKind> {
  readonly task: Dataset['task'];
  /** The element type of the targets `[B]`: class indices or numbers. */
  readonly targets: 'int32' | 'float32';
  /** How many numbers a network gives for a sample. */
  readonly outputs: (classes: number) => number;
  /** The mean over the mini-batch, a scalar: `output [B, outputs]`, `targets [B]`. */
  readonly emitLoss: (g: GraphBuilder, objective: ObjectiveOf<K>, output: Value, targets: Value) => Value;
  /** What the mini-batch adds to the metric of training: how many are right, or the sum of squared errors. */
  readonly emitScore: (g: GraphBuilder, output: Value, targets: Value) => Value;
  /** The mean loss and the metric of training from their sums. */
  readonly summarize: (loss: number, score: number, count: number) => Evaluation;
  /** The mean over a data set: `output [count · outputs]`, `targets [count]`. */
  readonly evaluate: (objective: ObjectiveOf<K>, output: Float32Array, targets: ArrayLike<number>) => Evaluation;
}
