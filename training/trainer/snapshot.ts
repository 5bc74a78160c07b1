/**
 * The point that a run has reached after a step: all that the rest of the run depends on besides the configuration, the
 * data and the engine. A run that resumes from a snapshot ends with the same bits as one that never stopped, since
 * mini-batches follow from seed and epoch, and dropout from seed and step.
 */
import type { Evaluation } from '../objective/index.ts';
import type { State } from './state.ts';

export interface EpochResult {
  /** Counts from 1. */
  readonly epoch: number;
  /** Loss and score over the epoch's mini-batches, each measured before its update. */
  readonly train: Evaluation;
  /** Loss and score on the validation part, with running statistics. */
  readonly validation: Evaluation;
}

/** Sums over the steps of an epoch so far. */
export interface EpochSums {
  readonly loss: number;
  readonly score: number;
}

export const noSteps: EpochSums = { loss: 0, score: 0 };

export interface Snapshot {
  /** Counts the steps taken so far, in all epochs. */
  readonly steps: number;
  /** The network's tensors, the optimizer's slots and the averages of the weights. */
  readonly state: State;
  /** The results of all complete epochs. */
  readonly history: readonly EpochResult[];
  /** The sums of the epoch that is not yet complete. */
  readonly sums: EpochSums;
  /** The seconds spent so far, where there is a time limit. */
  readonly spent?: number | undefined;
  /** The network's tensors after the best epoch; undefined before the first epoch is complete. */
  readonly best: State | undefined;
}
