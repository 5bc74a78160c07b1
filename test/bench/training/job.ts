/** What an engine's process is asked and what it answers. Both cross the process boundary as JSON. */
import type { Network } from '../../../training/network/index.ts';
import type { TrainingConfig } from '../../../training/trainer/index.ts';
import type { DataName } from './datasets.ts';

export interface Job {
  readonly network: Network;
  /** Settings of the run; the seed decides the split, the initial weights and the order of the samples. */
  readonly config: TrainingConfig;
  readonly threads: number;
  readonly data: DataName;
  /** The training set is there so many times over. */
  readonly dataCopies: number;
  readonly task: SpeedTask | LearningTask;
}

/** Trains for `warmUp` seconds, then for `seconds` seconds that count. */
export interface SpeedTask {
  readonly kind: 'speed';
  readonly warmUp: number;
  readonly seconds: number;
}

/** Trains for the configured number of epochs and looks at the test set on the way. */
export interface LearningTask {
  readonly kind: 'learning';
  readonly evaluationsPerEpoch: number;
  /** Stops early at this test accuracy, in [0, 1]. */
  readonly target?: number;
}

export interface Report {
  /** Name and version. */
  readonly engine: string;
  /** The mean cross-entropy of the first steps, each before its update: proof that all engines did the same job. */
  readonly firstLosses: readonly number[];
  /** During steady training; evaluation does not count. */
  readonly samplesPerSecond: number;
  /** Of CPU time, of all threads, while it trained so fast. */
  readonly samplesPerCpuSecond: number;
  /** The most memory the process ever had resident, in MB (10⁶ bytes). */
  readonly peakRss: number;
  /** Empty after a speed task. */
  readonly evaluations: readonly Evaluation[];
}

export interface Evaluation {
  readonly step: number;
  /** Spent on training until then. */
  readonly seconds: number;
  /** On the 10,000 test images with running statistics, in [0, 1]. */
  readonly testAccuracy: number;
  /** Resident memory in MB (10⁶ bytes). */
  readonly rss: number;
}
