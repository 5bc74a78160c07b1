/** Chooses the augmentation that suits the data. */
import { type Augmentation, type LoadedData, usualAugmentation } from '../data/index.ts';
import { unexpected, UserError } from '../files/index.ts';

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
  const { flip, ...others } = choice === 'all' ? usualAugmentation : choice;
  if (!flip || !picture?.drawing) return { ...others, ...(flip && { flip }) };
  if (choice === 'all') return others;
  throw new UserError('--augment: expected no flip, for a mirrored drawing may mean something else, got flip');
}
