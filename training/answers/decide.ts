/**
 * Reads an answer: decides which class or which labels a model's probabilities stand for. Training and the Worker share
 * this code.
 */
import { at as elementAt, present } from '../arrays/index.ts';
import type { Thresholds } from './quality.ts';

/**
 * The threshold between two classes: `class` is the answer where its probability is at least `at`; otherwise the other
 * class is.
 */
export interface Threshold {
  readonly class: number;
  readonly at: number;
}

/**
 * Returns the class that is the answer: the most probable one (the first of equals), unless a threshold decides between
 * two.
 */
export function predictedClass(probabilities: ArrayLike<number>, threshold: Threshold | undefined): number {
  if (threshold && probabilities.length === 2) {
    const { class: positive, at } = threshold;
    return elementAt(probabilities, positive) >= at ? positive : 1 - positive;
  }
  let best = 0;
  for (let k = 1; k < probabilities.length; k++) if (present(probabilities[k]) > present(probabilities[best])) best = k;
  return best;
}

/**
 * Returns the threshold that a card holds for a model of two classes. It is undefined where the card holds none, and
 * for labels that do not exclude each other.
 */
export function thresholdOf(
  thresholds: Thresholds | undefined,
  labels: readonly string[] | undefined,
): Threshold | undefined {
  const [first] = Object.entries(thresholds ?? {});
  if (!first || !labels) return undefined;
  const [label, at] = first;
  return { class: labels.indexOf(label), at };
}

/**
 * The probability from which a label applies where the card names none. It is used for labels that do not exclude each
 * other.
 */
const DEFAULT_THRESHOLD = 0.5;

/** Is true where a label applies. Each of the labels that do not exclude each other is decided on its own. */
export const applies = (label: string, probability: number, thresholds: Thresholds = {}): boolean =>
  probability >= ((Object.hasOwn(thresholds, label) ? thresholds[label] : undefined) ?? DEFAULT_THRESHOLD);
