/** What every study of this benchmark shares: the engines at hand, the settings, and how a study reports. */
import type { Measurement } from '../measurement.ts';
import { trainingDefaults } from '../../../training/run/index.ts';
import { type EngineName, engines } from './engines.ts';
import type { Job, Report } from './job.ts';
import type { Case } from './networks.ts';
import type { ProblemFiles } from './problem-files.ts';

export interface Bench {
  /** Those that can be used here. */
  readonly engines: readonly EngineName[];
  readonly problems: ProblemFiles;
  readonly rounds: number;
  readonly threads: number;
  /** Seconds of training before the stopwatch starts, and while it runs. */
  readonly warmUp: number;
  readonly seconds: number;
  /** Of the names of measurements. */
  readonly wanted: (name: string) => boolean;
}

/** Prints what it finds and returns the numbers. */
export type Study = (bench: Bench) => Promise<readonly Measurement[]>;

export const ours = 'bn-edge-native';

/** As `npm start` trains. */
export const usual = { ...trainingDefaults, epochs: 3 };

/** A job that measures speed; a constant learning rate lets it train for as long as it likes. */
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
