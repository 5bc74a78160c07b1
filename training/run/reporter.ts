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
  /** What trains it, by which steps, and the options that make another machine take the same. */
  readonly engine: string;
}

export interface NextTraining {
  readonly epochs: number;
  /** Whether there is a validation loss after each. */
  readonly hasValidation: boolean;
  /** Which it is, such as `fold 2/5`; nothing where it is the network itself. */
  readonly of?: string;
}

/** Is told how a run goes. The command line draws it in the terminal. */
export interface RunReporter {
  /** Tells one line about the run. */
  readonly note: (line: string) => void;
  /** What is under way before and after training, such as `read penguins.csv`. */
  readonly onStage: (stage: string) => void;
  readonly onStart: (run: RunStart) => void;
  /** Is called before each training of a run: of the network itself, and of those that only tell how long it should learn. */
  readonly onTraining: (training: NextTraining) => void;
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
  onTraining: () => undefined,
  onProgress: () => undefined,
  onEpoch: () => undefined,
  onStop: () => undefined,
};
