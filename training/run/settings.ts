/** Chooses the settings that the user leaves open. */
import { type Augmentation, type LoadedData, defaultAugmentation } from '../data/index.ts';
import { unexpected, UserError } from '../files/index.ts';
import type { TrainingConfig } from '../trainer/index.ts';
import { type Effort, defaultEffort } from './recipe.ts';

/** The defaults that do not depend on the data. */
export const trainingDefaults = {
  optimizer: 'adam',
  /** The maximum of the schedule. */
  learningRate: 0.002,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 1,
} as const;

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
  effort: Effort = defaultEffort,
): Length {
  const suitable = Math.min(effort.batchSize, Math.max(2, 2 ** Math.floor(Math.log2(count / minBatches))));
  const batch = batchSize ?? suitable;
  if (batch > count) throw unexpected('--batch-size', `at most ${count}, the training samples`, batch);
  const perEpoch = Math.floor(count / batch);
  if (steps !== undefined) {
    if (epochs !== undefined) throw unexpected('--steps', 'no --epochs beside it', epochs);
    return { batchSize: batch, epochs: Math.ceil(steps / perEpoch), steps };
  }
  return { batchSize: batch, epochs: epochs ?? Math.min(effort.maxEpochs, Math.ceil(effort.steps / perEpoch)) };
}

export type AugmentationChoice = 'all' | Augmentation;

/**
 * Returns the augmentation of a run.
 *
 * @param choice `all` does not mirror drawings: a mirrored letter is another letter, or none
 * @throws UserError for data that are not pictures, and for mirrored drawings
 */
export function chooseAugmentation(choice: AugmentationChoice, { train, picture }: LoadedData): Augmentation {
  if (train.inputShape.length !== 3) {
    throw unexpected('--augment', 'pictures to change', `samples [${train.inputShape.join(', ')}]`);
  }
  const { flip, ...others } = choice === 'all' ? defaultAugmentation : choice;
  if (!flip || !picture?.drawing) return { ...others, ...(flip && { flip }) };
  if (choice === 'all') return others;
  throw new UserError('--augment: expected no flip, for a mirrored drawing may mean something else, got flip');
}
