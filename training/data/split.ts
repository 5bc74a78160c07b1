/** Divides a data set into parts for training, validation and test. */
import { present } from '../arrays/index.ts';
import { unexpected } from '../files/index.ts';
import { subset, type Dataset } from './dataset.ts';
import type { Random } from './random.ts';

export interface Splits<D extends Dataset = Dataset> {
  readonly train: D;
  readonly validation: D;
  readonly test: D;
}

/** The sizes of two parts, in samples; training gets the rest. */
export interface SplitSizes {
  readonly validation: number;
  readonly test: number;
}

/**
 * Divides a data set into random parts in which every class has the same share as in the whole, give or take one
 * sample.
 *
 * @throws UserError when nothing would be left for training
 */
export function splitDataset<D extends Dataset>(dataset: D, sizes: SplitSizes, random: Random): Splits<D> {
  const held = sizes.validation + sizes.test;
  if (held >= dataset.count) {
    const got = `${held} (--validation-share and --test-share)`;
    throw unexpected('split', `fewer than ${dataset.count} samples for validation and test`, got);
  }
  const order = stratifiedOrder(dataset, random.fork('split'));
  return {
    train: subset(dataset, order.subarray(held)),
    validation: subset(dataset, order.subarray(0, sizes.validation)),
    test: subset(dataset, order.subarray(sizes.validation, held)),
  };
}

/**
 * Returns the sample indices of each of `folds` parts. The parts are equal in size, and every class has the same share
 * in them as in the whole, give or take one sample.
 */
export function foldsOf(dataset: Dataset, folds: number, random: Random): readonly Int32Array[] {
  const order = stratifiedOrder(dataset, random);
  const start = (fold: number): number => Math.floor((fold * dataset.count) / folds);
  return Array.from({ length: folds }, (_, fold) => order.slice(start(fold), start(fold + 1)));
}

/**
 * Returns a random order in which every stretch of samples is composed like the whole: the k-th of a class's n samples,
 * taken at random, stands at (k + ½)/n of the way. The only sample of a class stands in the middle, which is training's
 * unless half of the samples are held back.
 */
function stratifiedOrder(dataset: Dataset, random: Random): Int32Array {
  const shuffled = random.permutation(dataset.count);
  if (dataset.task === 'regression') return shuffled;
  const { labels, classes } = dataset;
  const sizes = countLabels(labels, classes.length);
  const ranks = new Int32Array(classes.length);
  // Samples without a label, −1, all stand in the middle.
  const positions = new Float64Array(dataset.count).fill(0.5);
  for (const sample of shuffled) {
    const label = present(labels[sample]);
    if (label < 0) continue;
    const rank = present(ranks[label]);
    positions[sample] = (rank + 0.5) / present(sizes[label]);
    ranks[label] = rank + 1;
  }
  return shuffled.sort((a, b) => present(positions[a]) - present(positions[b]));
}

/** Counts the samples of each class, `[classes]`, without those that have no label, −1. */
export function countLabels(labels: Int32Array, classes: number): Int32Array {
  const counts = new Int32Array(classes);
  for (const label of labels) if (label >= 0) counts[label] = present(counts[label]) + 1;
  return counts;
}

/**
 * Returns weights that make every class count alike in the loss, `[classes]`, with mean 1 over the samples:
 *   w_c = N / (K·N_c)   (King and Zeng, Political Analysis 9(2), 2001); 0 for a class without samples,
 * where K counts the classes that have samples.
 */
export function classWeights({ labels, classes }: { labels: Int32Array; classes: readonly string[] }): Float32Array {
  const counts = countLabels(labels, classes.length);
  const classesWithSamples = counts.filter((count) => count > 0).length;
  return Float32Array.from(counts, (count) => (count === 0 ? 0 : labels.length / (classesWithSamples * count)));
}
