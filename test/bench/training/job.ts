/** The request to an engine's process and its report. Both cross the process boundary as JSON. */
import type { Network } from '../../../training/network/index.ts';
import type { TrainingConfig } from '../../../training/trainer/index.ts';
import type { DataName } from './datasets.ts';

export interface Job {
  readonly network: Network;
  /** The settings of the run. The seed determines the split, the initial weights and the order of the samples. */
  readonly config: TrainingConfig;
  readonly threads: number;
  readonly data: DataName;
  /** Repeats the training set so many times. */
  readonly dataCopies: number;
  readonly task: SpeedTask | LearningTask;
}

/** Trains for `warmUp` seconds, then for `seconds` seconds that count. */
export interface SpeedTask {
  readonly kind: 'speed';
  readonly warmUp: number;
  readonly seconds: number;
}

/** Trains for the configured number of epochs and evaluates on the test set in between. */
export interface LearningTask {
  readonly kind: 'learning';
  readonly evaluationsPerEpoch: number;
  /** Stops early at this test accuracy, in [0, 1]. */
  readonly target?: number;
}

export interface Report {
  /** The engine's name and version. */
  readonly engine: string;
  /** The mean cross-entropy of the first steps, each before its update: shows that all engines did the same job. */
  readonly firstLosses: readonly number[];
  /** The speed of steady training, without evaluations. */
  readonly samplesPerSecond: number;
  /** The same speed per second of CPU time of all threads. */
  readonly samplesPerCpuSecond: number;
  /** The maximum resident memory of the process, in MB (10⁶ bytes). */
  readonly peakRss: number;
  /** Empty after a speed task. */
  readonly evaluations: readonly Evaluation[];
}

export interface Evaluation {
  readonly step: number;
  /** The seconds spent on training so far. */
  readonly seconds: number;
  /** The accuracy on the 10,000 test images with running statistics, in [0, 1]. */
  readonly testAccuracy: number;
  /** The resident memory in MB (10⁶ bytes). */
  readonly rss: number;
}
