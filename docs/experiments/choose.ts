import { unexpected } from '../../training/files/index.ts';
import { experiments } from './claims/index.ts';
import type { Experiment } from './experiment.ts';

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
