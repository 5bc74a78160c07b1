/** Defines how a model's answers are read, and the measures of how good they are. */
export type { Calibration, Importance, Interval, Thresholds } from './quality.ts';
export { calibrationSchema, importanceSchema, intervalSchema, thresholdsSchema } from './schema.ts';
export { applies, type Threshold, thresholdOf, predictedClass } from './decide.ts';
