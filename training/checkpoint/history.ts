/** Stores the history of epochs, with the score under its own name: `{"loss": 0.04, "accuracy": 0.99}`. */
import { z } from 'zod';
import { type Evaluation, objectiveKinds, objectiveRuleOf, type Score } from '../objective/index.ts';
import type { EpochResult } from '../trainer/index.ts';

export type StoredEvaluation = Readonly<Record<string, number>>;

export const storedEvaluation = ({ loss, score }: Evaluation, { key }: Score): StoredEvaluation => ({
  loss,
  [key]: score,
});

export const storedHistory = (history: readonly EpochResult[], score: Score) =>
  history.map(({ epoch, train, validation }) => ({
    epoch,
    train: storedEvaluation(train, score),
    validation: storedEvaluation(validation, score),
  }));

/** JSON has no NaN, such as the mean over a part without samples, and stores null instead. */
const number = z
  .number()
  .nullable()
  .transform((value) => value ?? NaN);

const scoreKeys = new Set(objectiveKinds.map((kind) => objectiveRuleOf({ kind }).score.key));

const evaluation = z.record(z.string(), number).transform(({ loss, ...scores }, context): Evaluation => {
  const [found, ...others] = Object.entries(scores);
  if (loss !== undefined && found && scoreKeys.has(found[0]) && others.length === 0) return { loss, score: found[1] };
  context.addIssue(`expected the loss and one of ${[...scoreKeys].join(', ')}`);
  return z.NEVER;
});

/** Parses what `storedHistory` returns. */
export const historySchema = z.array(
  z.strictObject({ epoch: z.int().positive(), train: evaluation, validation: evaluation }),
);
