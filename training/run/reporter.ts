import type { Backend } from '../backend/index.ts';
import type { DataSource, LoadedData } from '../data/index.ts';
import type { Plan } from '../network/index.ts';
import type { EpochMetrics, TrainingProgress } from '../trainer/index.ts';
import type { RunConfig } from './snapshot-file.ts';

/** A run that is about to train. */
export interface RunStart {
  readonly plan: Plan;
  readonly source: DataSource;
  readonly data: LoadedData;
  readonly config: RunConfig;
  readonly backend: Backend;
}

/** Is told how a run goes. The command line draws it in the terminal. */
export interface RunReporter {
  /** Tells one line about the run. */
  readonly note: (line: string) => void;
  /** What is under way before and after training, such as `read penguins.csv`. */
  readonly onStage: (stage: string) => void;
  readonly onStart: (run: RunStart) => void;
  readonly onProgress: (progress: TrainingProgress) => void;
  readonly onEpoch: (metrics: EpochMetrics) => void;
  /** Is called when the run ends, for whatever reason. */
  readonly onStop: () => void;
}

/** For programs that only want the result. */
export const silentReporter: RunReporter = {
  note: () => undefined,
  onStage: () => undefined,
  onStart: () => undefined,
  onProgress: () => undefined,
  onEpoch: () => undefined,
  onStop: () => undefined,
};
