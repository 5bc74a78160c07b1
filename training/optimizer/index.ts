/** What changes a network's tensors from step to step, emitted as graph nodes: optimizers, schedules, running statistics. */
import { adam } from './adam.ts';
import { sgd } from './sgd.ts';

export type { Optimizer, ParameterState } from './optimizer.ts';
export { emitRunningAverage } from './running-statistics.ts';
export { type Schedule, type ScheduleName, schedules } from './schedule.ts';

/** By the names of `--optimizer`. */
export const optimizers = { adam, sgd } as const;

export type OptimizerName = keyof typeof optimizers;
