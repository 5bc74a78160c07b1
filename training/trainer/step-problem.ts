/** Collects what every stepper needs to know: the network, the configuration, the samples and the host's numbers. */
import { batchesOf, type Dataset, type Samples } from '../data/index.ts';
import type { Tensor } from '../graph/index.ts';
import type { Plan } from '../network/index.ts';
import { objectiveRuleFor } from '../objective/index.ts';
import { stepOptions, type TrainingConfig } from './config.ts';
import type { LoopOptions } from './loop-graph.ts';
import { type StepNumbers, stepNumbers } from './step-numbers.ts';

export interface StepProblem {
  readonly plan: Plan;
  readonly config: TrainingConfig;
  readonly options: LoopOptions;
  readonly batchSize: number;
  readonly samples: Samples;
  /** The targets of all samples, in their order. */
  readonly targets: Tensor;
  readonly numbers: StepNumbers;
}

export function stepProblem(plan: Plan, dataset: Dataset, config: TrainingConfig): StepProblem {
  const options = stepOptions(config, dataset);
  const { batchSize } = config;
  return {
    plan,
    config,
    options: {
      ...options,
      batchSize,
      data: { count: dataset.count, dtype: dataset.inputs instanceof Uint8Array ? 'uint8' : 'float32' },
    },
    batchSize,
    samples: dataset,
    targets: objectiveRuleFor(options.objective, dataset).targetsOf(dataset),
    numbers: stepNumbers(config, options, batchesOf(dataset.count, batchSize)),
  };
}
