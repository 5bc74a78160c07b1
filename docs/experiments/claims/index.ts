/** Lists the eleven experiments, in the order of the claims. */
import { unexpected } from '../../../training/files/index.ts';
import type { Experiment } from '../experiment.ts';
import { covariateShift } from './covariate-shift/index.ts';
import { fasterTraining } from './faster-training.ts';
import { gradients } from './gradients/index.ts';
import { identity } from './identity.ts';
import { inputNormalization } from './input-normalization/index.ts';
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

/**
 * Returns the experiments of these names, and all experiments when no names are given.
 *
 * @throws UserError when a name is not an experiment's
 */
export function chooseExperiments(names: readonly string[]): readonly Experiment[] {
  if (names.length === 0) return experiments;
  return names.map((name) => {
    const found = experiments.find((experiment) => experiment.name === name);
    if (!found) throw unexpected('experiments', experiments.map((experiment) => experiment.name).join(', '), name);
    return found;
  });
}
