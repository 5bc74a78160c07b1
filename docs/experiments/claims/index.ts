/** Lists the eleven experiments, in the order of the claims. */
import type { Experiment } from '../experiment.ts';
import { covariateShift } from './covariate-shift.ts';
import { fasterTraining } from './faster-training.ts';
import { gradients } from './gradients.ts';
import { identity } from './identity.ts';
import { inputNormalization } from './input-normalization.ts';
import { neighbours } from './neighbours.ts';
import { optimizerGrid } from './optimizers.ts';
import { recalibration } from './recalibration.ts';
import { regularization } from './regularization.ts';
import { superfluousBias } from './superfluous-bias.ts';
import { testTime } from './test-time.ts';

export const experiments: readonly Experiment[] = [
  inputNormalization,
  fasterTraining,
  identity,
  superfluousBias,
  gradients,
  optimizerGrid,
  covariateShift,
  regularization,
  testTime,
  neighbours,
  recalibration,
];
