/** How an answer is read: which class is told, and what stands around a number. Training and the Worker read it alike. */
import type { Thresholds } from './quality.ts';

/** Of two classes: the one that is told where its probability is at least so much, and else the other. */
export interface Threshold {
  readonly class: number;
  readonly at: number;
}

/** The class that is told: the most probable one, the first of equal ones, unless a threshold chooses between two. */
export function toldClass(probabilities: ArrayLike<number>, threshold: Threshold | undefined): number {
  if (threshold && probabilities.length === 2) {
    const { class: positive, at } = threshold;
    return (probabilities[positive] ?? NaN) >= at ? positive : 1 - positive;
  }
  let best = 0;
  for (let k = 1; k < probabilities.length; k++) if ((probabilities[k] ?? NaN) > (probabilities[best] ?? NaN)) best = k;
  return best;
}

/** What a card says of two classes; undefined where it says nothing, and of labels that do not exclude each other. */
export function thresholdOf(
  thresholds: Thresholds | undefined,
  labels: readonly string[] | undefined,
): Threshold | undefined {
  const [label] = Object.keys(thresholds ?? {});
  if (!thresholds || !labels || label === undefined) return undefined;
  return { class: labels.indexOf(label), at: thresholds[label] ?? NaN };
}

/** From this probability on a label applies, of labels that do not exclude each other, where the card does not say it. */
const usual = 0.5;

/** Whether a label applies, of labels that do not exclude each other. */
export const applies = (label: string, probability: number, thresholds: Thresholds = {}): boolean =>
  probability >= (Object.hasOwn(thresholds, label) ? (thresholds[label] ?? NaN) : usual);
