/** Chooses the length of training by default. */
import { unexpected } from '../files/index.ts';
import type { TrainingConfig } from '../trainer/index.ts';
import { type Effort, usualEffort } from './recipe.ts';

/** The minimum number of mini-batches in an epoch; fewer would be too much alike. */
const minBatches = 4;

export type Length = Pick<TrainingConfig, 'epochs' | 'batchSize' | 'steps'>;

/**
 * Returns the length of training.
 *
 * @param count the number of training samples
 * @throws UserError for a batch that is larger
 */
export function chooseLength(
  { epochs, batchSize, steps }: { readonly [K in keyof Length]?: Length[K] | undefined },
  count: number,
  effort: Effort = usualEffort,
): Length {
  const usual = Math.min(effort.batchSize, Math.max(2, 2 ** Math.floor(Math.log2(count / minBatches))));
  const batch = batchSize ?? usual;
  if (batch > count) throw unexpected('--batch-size', `at most ${count}, the training samples`, batch);
  const perEpoch = Math.floor(count / batch);
  if (steps !== undefined) {
    if (epochs !== undefined) throw unexpected('--steps', 'no --epochs beside it', epochs);
    return { batchSize: batch, epochs: Math.ceil(steps / perEpoch), steps };
  }
  return { batchSize: batch, epochs: epochs ?? Math.min(effort.maxEpochs, Math.ceil(effort.steps / perEpoch)) };
}
