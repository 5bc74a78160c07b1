/** Schemas of what is answered to a sample: by `predict`, by `classify`, and why a row gets its answer. */
import * as z from 'zod/mini';
import { count, described, list, real, text } from './vocabulary.ts';

/** Describes an answer of KServe's V1 protocol. */
export function answerSchema() {
  const explanation = z.optional(described(explainedSchema(), 'Why the answer is so, if the request asked for it.'));
  const warnings = z.optional(
    described(list(text), 'What was left out or filled, what is far from the values of training, and "not a number".'),
  );
  const probabilities = z.record(text, z.number());
  return z.union([
    z.object({
      label: z.nullable(text),
      probability: real,
      probabilities: z.optional(described(probabilities, 'The probability of each class, by its label.')),
      warnings,
      explanation,
    }),
    z.object({
      labels: described(
        z.nullable(list(text)),
        'All labels that apply: with a probability of at least 0.5, or the one that the card gives for the label; null when the output is not finite.',
      ),
      probabilities: z.optional(described(probabilities, 'The probability of each label.')),
      warnings,
      explanation,
    }),
    z.object({
      value: real,
      low: z.optional(described(real, 'The lower end of the interval around the value, if the model has one.')),
      high: z.optional(real),
      warnings,
      explanation,
    }),
    z.object({ values: z.nullable(list(z.number())), warnings }),
  ]);
}

export function explainedSchema() {
  const flip = z.object({ column: text, value: z.union([z.number(), text]), label: text, probability: z.number() });
  return z.object({
    of: z.optional(described(text, 'The label whose probability is the score; absent for a number.')),
    score: z.number(),
    base: described(z.number(), 'The score of the typical row of training.'),
    contributions: described(
      z.record(text, z.number()),
      'The Shapley value of each column; they add up to score - base.',
    ),
    exact: described(z.boolean(), 'Whether all orders of the columns were counted; otherwise some were.'),
    flips: z.optional(described(list(flip), 'Values of one column that would change the label, nearest first.')),
    rows: described(count, 'The number of rows that were run for it.'),
  });
}

export function predictionSchema() {
  const ranked = z.object({ label: text, index: count, probability: real });
  return z.object({
    label: described(z.nullable(text), 'Null when the output is not finite.'),
    probability: described(real, 'Null also when the model chooses a class without one.'),
    labels: z.optional(
      described(z.nullable(list(text)), 'All labels that apply, for a model whose labels do not exclude each other.'),
    ),
    top: described(list(ranked), 'The most probable first; empty without probabilities.'),
    warnings: z.optional(described(list(text), 'What is wrong with the answer: "not a number".')),
  });
}
