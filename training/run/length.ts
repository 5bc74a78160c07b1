/** How long to train, where nobody says. */
import { unexpected } from '../files/index.ts';
import type { TrainingConfig } from '../trainer/index.ts';

/** Enough for MNIST's three epochs, and for small data to be seen often. */
const wantedSteps = 2500;
const mostEpochs = 100;
const wantedBatch = 64;
/** Fewer mini-batches in an epoch would be too alike. */
const leastBatches = 4;

export type Length = Pick<TrainingConfig, 'epochs' | 'batchSize'>;

/**
 * @param count of training samples
 * @throws UserError for a batch larger than that
 */
export function chooseLength(
  { epochs, batchSize }: { readonly [K in keyof Length]?: Length[K] | undefined },
  count: number,
): Length {
  const batch = batchSize ?? Math.min(wantedBatch, Math.max(2, 2 ** Math.floor(Math.log2(count / leastBatches))));
  if (batch > count) throw unexpected('--batch-size', `at most ${count}, the training samples`, batch);
  const steps = Math.floor(count / batch);
  return { batchSize: batch, epochs: epochs ?? Math.min(mostEpochs, Math.ceil(wantedSteps / steps)) };
}
