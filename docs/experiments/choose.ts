import { unexpected } from '../../training/files/index.ts';
import { experiments } from './claims/index.ts';
import type { Experiment } from './experiment.ts';

/**
 * The experiments of these names, all when there are none.
 *
 * @throws UserError for a name that is no experiment's
 */
export function chooseExperiments(names: readonly string[]): readonly Experiment[] {
  if (names.length === 0) return experiments;
  return names.map((name) => {
    const found = experiments.find((experiment) => experiment.name === name);
    if (!found) throw unexpected('experiments', experiments.map((experiment) => experiment.name).join(', '), name);
    return found;
  });
}
