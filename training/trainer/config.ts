/** The configuration of a run, as a user gives it and as a step of its program needs it. */
import type { Augmentation, Dataset } from '../data/index.ts';
import { objectiveFor } from '../objective/index.ts';
import { createOptimizer, type OptimizerChoice, type ScheduleName } from '../optimizer/index.ts';
import type { StepOptions } from './step.ts';

/** All that decides how a run goes, beside the network, the data and the engine. */
export interface TrainingConfig extends Omit<StepOptions, 'optimizer'>, OptimizerChoice {
  readonly epochs: number;
  /** The steps that the schedule of the learning rate spans, where they are not those of all epochs: the last epoch may be cut short. */
  readonly steps?: number | undefined;
  /** The steps after which training stops, though the schedule goes on: what was found to be best on other samples. */
  readonly stopAfter?: number | undefined;
  /** The seconds after which training stops. The schedule then follows the clock where that is ahead of the steps. */
  readonly timeLimit?: number | undefined;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly schedule: ScheduleName;
  /** The share of all steps in which the learning rate rises; the schedule's own when omitted. */
  readonly warmUp?: number | undefined;
  /** Of the trained network: the running averages, or those of a pass over the training set. */
  readonly statistics?: 'running' | 'population' | undefined;
  /** The epochs that may pass without a lower validation loss before the run ends; as many as there are when omitted. */
  readonly earlyStopping?: number | undefined;
  /** How training pictures are changed in each epoch; they stay as they are when omitted. */
  readonly augment?: Augmentation | undefined;
  /** Which epoch's tensors the run gives: the best by validation loss, or the last. When omitted the best, if there is a validation part. */
  readonly keep?: 'last' | 'best' | undefined;
}

/** What a step needs of it: the objective that the data ask for unless another is given, and the optimizer itself. */
export function stepOptions(config: TrainingConfig, dataset: Dataset) {
  return { ...config, objective: config.objective ?? objectiveFor(dataset), optimizer: createOptimizer(config) };
}
