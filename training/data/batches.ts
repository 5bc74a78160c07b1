/** Determines the order in which an epoch visits the training set. */
import { unexpected } from '../files/index.ts';
import type { Random } from './random.ts';

/** Counts the mini-batches of an epoch. The incomplete last one is dropped. */
export const batchesOf = (count: number, batchSize: number): number => Math.floor(count / batchSize);

/**
 * Returns the sample indices of an epoch's mini-batches, `[steps, batchSize]` row-major with `steps = floor(count /
 * batchSize)`. Each epoch has its own permutation, which depends only on the seed and the epoch, so a resumed run
 * continues as if it had never stopped. The incomplete last mini-batch is dropped: its statistics would be noisier than
 * those of the others.
 *
 * @throws UserError when not even one mini-batch can be filled
 */
export function epochBatches(random: Random, epoch: number, count: number, batchSize: number): Int32Array {
  checkBatchSize(count, batchSize);
  return random
    .fork(`epoch ${epoch}`)
    .permutation(count)
    .slice(0, batchesOf(count, batchSize) * batchSize);
}

/**
 * Checks that a batch size fits the training set.
 *
 * @throws UserError when not even one mini-batch of `count` samples can be filled
 */
export function checkBatchSize(count: number, batchSize: number): void {
  if (batchSize >= 1 && batchSize <= count) return;
  throw unexpected('batch size', `1 to ${count} (the training samples)`, batchSize);
}
