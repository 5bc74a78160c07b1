/** Describes what a network is trained for, as data. The rules in `rules/` define what an objective computes. */
import type { Dataset } from '../data/index.ts';

/** The settings of each kind of objective. */
export interface ObjectiveSettings {
  /** One of K classes: cross-entropy of the softmax of K logits. */
  readonly multiclass: {
    /**
     * The probability that the target spreads evenly over all classes: Szegedy et al., https://arxiv.org/abs/1512.00567
     */
    readonly labelSmoothing: number;
    /** The weight of each class's samples in the loss. Default: 1. */
    readonly classWeights?: readonly number[] | undefined;
  };
  /** One of two classes: cross-entropy of the sigmoid of one logit. */
  readonly binary: object;
  /** A number: the squared error. */
  readonly mse: NumberSettings;
  /** A number: half the squared error up to `delta`, and linear beyond it, so that outliers have less influence. */
  readonly huber: NumberSettings & { readonly delta: number };
}

interface NumberSettings {
  /**
   * The error that counts as 1, such as the targets' standard deviation, so that the loss does not depend on their
   * unit.
   */
  readonly unit?: number | undefined;
}

export type ObjectiveKind = keyof ObjectiveSettings;
export type ObjectiveOf<K extends ObjectiveKind> = { readonly kind: K } & ObjectiveSettings[K];
export type Objective = { [K in ObjectiveKind]: ObjectiveOf<K> }[ObjectiveKind];

export const multiclass = ({
  labelSmoothing = 0,
  classWeights,
}: { labelSmoothing?: number | undefined; classWeights?: readonly number[] | undefined } = {}): Objective => ({
  kind: 'multiclass',
  labelSmoothing,
  ...(classWeights && { classWeights }),
});
export const binary = (): Objective => ({ kind: 'binary' });
export const mse = ({ unit }: NumberSettings = {}): Objective => ({ kind: 'mse', ...(unit && { unit }) });
/** @param delta in units */
export const huber = (delta = 1, { unit }: NumberSettings = {}): Objective => ({
  kind: 'huber',
  delta,
  ...(unit && { unit }),
});

/** The default objectives: multi-class for classes, squared error for numbers. */
const defaults: { readonly [T in Dataset['task']]: () => Objective } = { classification: multiclass, regression: mse };

export const objectiveFor = ({ task }: Pick<Dataset, 'task'>): Objective => defaults[task]();

/**
 * Returns what a network of unknown origin was probably trained for, judged by its outputs.
 *
 * @param classes 0 for numbers
 */
export function objectiveOfOutputs(classes: number, outputs: number): Objective {
  if (classes === 0) return mse();
  return classes === 2 && outputs === 1 ? binary() : multiclass();
}
