/** Training: one step as a graph, many steps in a Loop, epochs, and evaluation. */
export { batchesOf, createEvaluator, declareNetwork, type Evaluator, floatsOf } from './evaluate.ts';
export { initializeTensors, type State } from './initialize.ts';
export { populationStatistics } from './population.ts';
export { trainingProgram, type ProgramOptions } from './program.ts';
export type { StepOptions } from './step.ts';
export { type TrainingConfig, TrainingRun } from './run.ts';
export { type EpochMetrics, train, type TrainingData, type TrainingEvents, type TrainingResult } from './train.ts';
