/**
 * Training: one step as a graph (`step.ts`), three ways to take it (`choose-stepper.ts`), epochs (`train.ts`), and
 * evaluation.
 */
export type { TrainingConfig } from './config.ts';
export { createEvaluator, declareNetwork } from './evaluate.ts';
export { DivergenceError } from './finite.ts';
export { initializeTensors } from './initialize.ts';
export { populationStatistics } from './population.ts';
export { ThreadEnded } from './compiled/step-program.ts';
export { TrainingRun } from './training-run.ts';
export { batchesOf, floatsOf, runOverSamples } from './samples.ts';
export { type State, stateShapes } from './state.ts';
export { describeSteps, stepGraphFor, type StepRecord, stepRecord, stepsInDoubt } from './choose-stepper.ts';
export { fastestSteps } from './thread-trial.ts';
export { bestEpoch } from './early-stopping.ts';
export type { EpochResult, Snapshot } from './snapshot.ts';
export {
  type EpochMetrics,
  train,
  type TrainingEvents,
  type TrainingProgress,
  type TrainingResult,
  type TrainingStart,
} from './train.ts';
