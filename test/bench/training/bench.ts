/** Shared by all studies of this benchmark: the available engines, the settings, and the reports. */
import type { Measurement } from '../measurement.ts';
import { trainingDefaults } from '../../../training/run/index.ts';
import { type EngineName, engines } from './engines.ts';
import type { Job, Report } from './job.ts';
import type { Case } from './networks.ts';
import type { ProblemFiles } from './problem-files.ts';

export interface Bench {
  /** The engines that are available on this machine. */
  readonly engines: readonly EngineName[];
  readonly problems: ProblemFiles;
  readonly rounds: number;
  readonly threads: number;
  /** Seconds of training before the stopwatch starts, and while it runs. */
  readonly warmUp: number;
  readonly seconds: number;
  /** Selects measurements by their names. */
  readonly wanted: (name: string) => boolean;
}

/** A study prints its findings and returns the numbers. */
export type Study = (bench: Bench) => Promise<readonly Measurement[]>;

export const ours = 'bn-edge-native';

/** The settings that `npm start` trains with. */
export const usual = { ...trainingDefaults, epochs: 3 };

/** Returns a job that measures speed. Its learning rate is constant, so that it can train for any length of time. */
export function speedJob(
  { threads, warmUp, seconds }: Bench,
  { network, batchSize, data }: Pick<Case, 'network' | 'batchSize' | 'data'>,
  dataCopies = 1,
): Job {
  return {
    network,
    config: { ...usual, schedule: 'constant', batchSize },
    threads,
    data,
    dataCopies,
    task: { kind: 'speed', warmUp, seconds },
  };
}

export const runJob = ({ problems }: Bench, engine: EngineName, job: Job): Promise<Report> =>
  engines[engine].run(job, problems);
