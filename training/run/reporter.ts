/** The interface through which a run reports its progress. */
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
  /** The engine and the way it computes steps, with the options that choose the same on another machine. */
  readonly engine: string;
}

export interface NextTraining {
  readonly epochs: number;
  /** Is true where there is a validation loss after each epoch. */
  readonly hasValidation: boolean;
  /** Names a training of a search, such as `fold 2/5`; absent for the network itself. */
  readonly of?: string;
}

/** Receives the progress of a run. The command line shows it in the terminal. */
export interface RunReporter {
  /** Receives one line about the run. */
  readonly note: (line: string) => void;
  /** Receives what is in progress before and after training, such as `read penguins.csv`. */
  readonly onStage: (stage: string) => void;
  readonly onStart: (run: RunStart) => void;
  /** Is called before each training of a run: that of the network itself, and those of a search for its length. */
  readonly onTraining: (training: NextTraining) => void;
  readonly onProgress: (progress: TrainingProgress) => void;
  readonly onEpoch: (metrics: EpochMetrics) => void;
  /** Is called when the run ends, for whatever reason. */
  readonly onStop: () => void;
}

/** Ignores everything, for programs that only need the result. */
export const silentReporter: RunReporter = {
  note: () => undefined,
  onStage: () => undefined,
  onStart: () => undefined,
  onTraining: () => undefined,
  onProgress: () => undefined,
  onEpoch: () => undefined,
  onStop: () => undefined,
};
