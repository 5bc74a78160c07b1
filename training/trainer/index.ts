/** Training: one step as a graph, many steps in a Loop, epochs, and evaluation. */
export type { TrainingConfig } from './config.ts';
export { createEvaluator, declareNetwork } from './evaluate.ts';
export { DivergenceError } from './finite.ts';
export { initializeTensors } from './initialize.ts';
export { populationStatistics } from './population.ts';
export { ThreadEnded } from './compiled/step-program.ts';
export { TrainingRun } from './run.ts';
export { batchesOf, floatsOf, runOverSamples } from './samples.ts';
export { type State, stateShapes } from './state.ts';
export { describeSteps, stepGraphFor, type StepRecord, stepRecord, stepsInDoubt } from './steppers.ts';
export { fastestSteps } from './thread-trial.ts';
export { bestEpoch, type EpochResult, type Snapshot } from './snapshot.ts';
export {
  type EpochMetrics,
  train,
  type TrainingEvents,
  type TrainingProgress,
  type TrainingResult,
  type TrainingStart,
} from './train.ts';
