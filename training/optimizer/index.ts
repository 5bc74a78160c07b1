/** Emits the updates of a network's tensors as graph nodes: optimizers, schedules and running averages. */
import { adam, adamw } from './adam.ts';
import type { Optimizer, OptimizerSettings } from './optimizer.ts';
import { rmsprop } from './rmsprop.ts';
import { momentum, nesterov, sgd } from './sgd.ts';

export { clipByGlobalNorm } from './clip.ts';
export type { Optimizer, OptimizerSettings } from './optimizer.ts';
export {
  averageShares,
  type BnMomentum,
  type BnVariance,
  emitAverage,
  statisticsShares,
  unbiasedVariance,
} from './running-averages.ts';
export { rateFactor, type ScheduleName, schedules } from './schedule.ts';

/** The optimizers by their names in `--optimizer`. */
export const optimizers = {
  sgd,
  momentum,
  nesterov,
  rmsprop,
  adam,
  adamw,
} as const satisfies Readonly<Record<string, (settings: OptimizerSettings) => Optimizer>>;

export type OptimizerName = keyof typeof optimizers;

export interface OptimizerChoice {
  readonly optimizer: OptimizerName;
  /** The share of the velocity that is kept, for optimizers that have one. Default: 0.9. */
  readonly momentum?: number | undefined;
}

export function createOptimizer({ optimizer, momentum = 0.9 }: OptimizerChoice): Optimizer {
  const create: (settings: OptimizerSettings) => Optimizer = optimizers[optimizer];
  return create({ momentum });
}
