/** The configuration of a run as a user gives it, and the part of it that the graph of a step needs. */
import type { Augmentation, Dataset } from '../data/index.ts';
import { objectiveFor } from '../objective/index.ts';
import { createOptimizer, type OptimizerChoice, type ScheduleName } from '../optimizer/index.ts';
import type { StepOptions } from './step.ts';

/** Everything that determines a run besides the network, the data and the engine. */
export interface TrainingConfig extends Omit<StepOptions, 'optimizer'>, OptimizerChoice {
  readonly epochs: number;
  /**
   * The number of steps that the learning rate's schedule spans, by default those of all epochs. A smaller number cuts
   * the last epoch short.
   */
  readonly steps?: number | undefined;
  /**
   * The number of steps after which training stops although the schedule continues: the length that was best on other
   * samples.
   */
  readonly stopAfter?: number | undefined;
  /**
   * The seconds after which training stops. The schedule then follows the clock where the clock is ahead of the steps.
   */
  readonly timeLimit?: number | undefined;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly schedule: ScheduleName;
  /** The share of all steps during which the learning rate rises. The schedule's own when omitted. */
  readonly warmUp?: number | undefined;
  /**
   * The Batch Norm statistics of the trained network: the running averages, or those of one pass over the training set.
   */
  readonly statistics?: 'running' | 'population' | undefined;
  /** The number of epochs in a row without a lower validation loss that ends the run. Without it, no run ends early. */
  readonly earlyStopping?: number | undefined;
  /** Determines how training pictures are altered in each epoch. When omitted, they are not altered. */
  readonly augment?: Augmentation | undefined;
  /**
   * Selects the epoch whose tensors the run returns: the one with the lowest validation loss, or the last. When
   * omitted, the best, if there is a validation part.
   */
  readonly keep?: 'last' | 'best' | undefined;
}

/**
 * Returns what a step needs: the configuration with its optimizer, and the data set's own objective where none is
 * configured.
 */
export function stepOptions(config: TrainingConfig, dataset: Dataset) {
  return { ...config, objective: config.objective ?? objectiveFor(dataset), optimizer: createOptimizer(config) };
}
