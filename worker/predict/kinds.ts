/** Reads classes from a model's output, by the kind of the output. */
import { applies, thresholdOf, predictedClass } from '../../training/answers/decide.ts';
import type { ModelAbout, OutputKind } from '../image.ts';

/** Turns the values of one sample into one probability per class. */
export type Probabilities = (values: readonly number[]) => number[];

/**
 * Maps each kind to its function, or to `null` when the values are not scores of classes. A new kind does not compile
 * without an entry here.
 */
export const probabilitiesOf: { readonly [Kind in OutputKind]: Probabilities | null } = {
  // A lone value is the logit of class 1 against 0, that of class 0: softmax(0, z) = (1 − σ(z), σ(z)).
  logits: (values) => softmax(values.length === 1 ? [0, ...values] : values),
  // A lone value is the probability of class 1.
  probabilities: ([first = NaN, ...others]) => (others.length === 0 ? [1 - first, first] : [first, ...others]),
  'multi-label': (values) => [...values],
  class: null,
  number: null,
};

/** Answers with the class that the model has chosen itself. The model's scores, if it has any, are another output. */
export function chosenClass([number = NaN]: readonly number[], labels: readonly string[] | undefined) {
  const label = labels?.[number];
  const strange = labels && label === undefined ? { warnings: [`no label for ${number}`] } : {};
  return { label: label ?? String(number), probability: null, ...strange };
}

/** The part of a card by which probabilities are read. */
export type Read = Pick<ModelAbout, 'labels' | 'threshold'>;

/** Returns the index of the class that a model predicts from these probabilities. */
export const predictedClassOf = (probabilities: readonly number[], { labels, threshold }: Read): number =>
  predictedClass(probabilities, thresholdOf(threshold, labels));

/** Returns the labels that apply, when several can; undefined for a model that chooses one class. */
export const labelsThatApply = (
  kind: OutputKind,
  named: readonly (readonly [string, number])[],
  { threshold }: Read,
): readonly string[] | undefined =>
  kind === 'multi-label'
    ? named.filter(([label, probability]) => applies(label, probability, threshold)).map(([label]) => label)
    : undefined;

/** Computes softmax(z) = exp(z − max) / Σ exp(z − max). */
function softmax(logits: readonly number[]): number[] {
  // `Math.max(...logits)` overflows the stack at 130,000 classes.
  const largest = logits.reduce((max, logit) => Math.max(max, logit), -Infinity);
  const exponentials = logits.map((logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}
