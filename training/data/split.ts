/** Dividing one data set into a training and a validation part. */
import { subset, type ClassificationDataset } from './dataset.ts';
import type { Random } from './random.ts';

/** Random disjoint parts: `validationCount` samples for validation, all others for training. */
export function trainValidationSplit(
  dataset: ClassificationDataset,
  validationCount: number,
  random: Random,
): { readonly train: ClassificationDataset; readonly validation: ClassificationDataset } {
  const order = random.fork('split').permutation(dataset.count);
  return {
    train: subset(dataset, order.subarray(validationCount)),
    validation: subset(dataset, order.subarray(0, validationCount)),
  };
}
