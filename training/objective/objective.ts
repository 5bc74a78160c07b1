/** What a network is trained for, as data. What an objective computes is its rule in `rules/`. */
import type { Dataset } from '../data/index.ts';

/** The settings of every kind of objective. */
export interface ObjectiveSettings {
  /** One of K classes: cross-entropy of the softmax of K logits. */
  readonly multiclass: {
    /** The probability that the target spreads evenly over all classes: Szegedy et al., https://arxiv.org/abs/1512.00567 */
    readonly labelSmoothing: number;
    /** The factor of the loss of each class's samples; 1 when omitted. */
    readonly classWeights?: readonly number[] | undefined;
  };
  /** One of two classes: cross-entropy of the sigmoid of one logit. */
  readonly binary: object;
  /** A number: the squared error. */
  readonly mse: NumberSettings;
  /** A number: half the squared error up to `delta`, and on from there as a line, so that outliers pull less. */
  readonly huber: NumberSettings & { readonly delta: number };
}

interface NumberSettings {
  /** The error that counts as 1, such as the targets' standard deviation, so that no loss depends on their unit. */
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

/** What data are for when nobody says: their classes, or their numbers by squared error. */
const usual: { readonly [T in Dataset['task']]: () => Objective } = { classification: multiclass, regression: mse };

export const objectiveFor = ({ task }: Pick<Dataset, 'task'>): Objective => usual[task]();

/**
 * What a network of unknown origin was trained for, as far as its outputs tell.
 *
 * @param classes 0 for numbers
 */
export function objectiveOfOutputs(classes: number, outputs: number): Objective {
  if (classes === 0) return mse();
  return classes === 2 && outputs === 1 ? binary() : multiclass();
}
