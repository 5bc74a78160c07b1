/** The ten experiments, in the order of the claims. */
import type { Experiment } from '../experiment.ts';
import { identity } from './identity.ts';

export const experiments: readonly Experiment[] = [identity];
