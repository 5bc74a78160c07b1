/** Early stopping: finds the best epoch of a run, and ends a run that no longer improves. */
import type { EpochResult } from './snapshot.ts';

/** Returns the epoch with the lowest validation loss, NaN aside, and the first of equals; 0 before there is one. */
export function bestEpoch(history: readonly EpochResult[]): number {
  const lowest = history.reduce(
    (best, { epoch, validation: { loss } }) => (loss < best.loss ? { epoch, loss } : best),
    { epoch: 0, loss: Infinity },
  );
  return lowest.epoch;
}

/**
 * Is true when too many epochs in a row have passed without a lower validation loss.
 *
 * @param patience the number of such epochs, counted once there is a best epoch; without it no run stops early
 */
export function stopsEarly(history: readonly EpochResult[], patience = Infinity): boolean {
  const best = bestEpoch(history);
  return best > 0 && history.length - best >= patience;
}
