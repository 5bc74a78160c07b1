/**
 * Where a run stands after a step: all that its rest depends on beside the configuration, the data and the engine. A run that
 * goes on from a snapshot ends with the same bits as one that never stopped: mini-batches follow from seed and epoch,
 * dropout from seed and step.
 */
import type { Evaluation } from '../objective/index.ts';
import type { State } from './state.ts';

export interface EpochResult {
  /** Counts from 1. */
  readonly epoch: number;
  /** Over the epoch's mini-batches, each before its update. */
  readonly train: Evaluation;
  /** With running statistics. */
  readonly validation: Evaluation;
}

/** Sums over the steps of an epoch so far. */
export interface EpochSums {
  readonly loss: number;
  readonly score: number;
}

export const noSteps: EpochSums = { loss: 0, score: 0 };

export interface Snapshot {
  /** Taken so far, in all epochs. */
  readonly steps: number;
  /** The network's tensors, the optimizer's slots and the averages of the weights. */
  readonly state: State;
  /** Of the epochs that are complete. */
  readonly history: readonly EpochResult[];
  /** Of the epoch that is not. */
  readonly sums: EpochSums;
  /** Seconds, where there is a limit to them. */
  readonly spent?: number | undefined;
  /** The network's tensors after the best epoch; none before the first is complete. */
  readonly best: State | undefined;
}

/** The epoch with the lowest validation loss that is a number, the first of equals; 0 before there is one. */
export function bestEpoch(history: readonly EpochResult[]): number {
  const lowest = history.reduce(
    (best, { epoch, validation: { loss } }) => (loss < best.loss ? { epoch, loss } : best),
    { epoch: 0, loss: Infinity },
  );
  return lowest.epoch;
}

/**
 * @param patience how many epochs in a row may pass without a lower validation loss, once there is a first; any number when omitted
 */
export function stopsEarly(history: readonly EpochResult[], patience = Infinity): boolean {
  const best = bestEpoch(history);
  return best > 0 && history.length - best >= patience;
}
