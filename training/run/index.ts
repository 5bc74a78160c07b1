/** Training runs: from data and settings to a run folder, and resuming from one. */
export { answersOfCheckpoint, answersOfModel } from './evaluation.ts';
export type { AnswerSink } from './answer-table.ts';
export { evaluate, type Evaluated, type EvaluateOptions } from './evaluate.ts';
export { type Length, trainingDefaults } from './settings.ts';
export { findNetwork } from './choose-network.ts';
export { binsFor } from './recipe.ts';
export type { ObjectiveFlags } from './objective.ts';
export { reshaped } from './reshape.ts';
export { type NextTraining, type RunReporter, type RunStart, silentReporter } from './reporter.ts';
export { scoreOfFolds } from './cross-validation.ts';
export { type PartName, partNames } from './samples.ts';
export { evaluateOptionsSchema, type TrainOptions } from './options.ts';
export { configurationIn } from './run-folder.ts';
export { type TrainedRun, trainToFolder } from './train.ts';
export { binsOf, unitsOf } from './units.ts';
