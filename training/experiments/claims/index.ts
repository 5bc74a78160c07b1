/** The ten experiments, in the order of the claims. */
import type { Experiment } from '../experiment.ts';
import { fasterTraining } from './faster-training.ts';
import { identity } from './identity.ts';
import { testTime } from './test-time.ts';

export const experiments: readonly Experiment[] = [fasterTraining, identity, testTime];
