/**
 * Types for what a card says about a model's answers: how they are read, and how far they can be trusted. This file
 * holds types alone.
 */

/**
 * Maps a label to the probability from which it is given as an answer. Of two exclusive classes it names one; of labels
 * that do not exclude each other it may name any number.
 */
export type Thresholds = Readonly<Record<string, number>>;

/** A prediction interval around a number: it reaches from `halfWidth` below the value to `halfWidth` above it. */
export interface Interval {
  /** The share of values that the interval is meant to hold, such as 0.9. */
  readonly level: number;
  readonly halfWidth: number;
  /** The share of the test part's values that it held; absent where there was no test part. */
  readonly coverage?: number;
}

/** The samples whose answer has a probability between `from` and `to`. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly samples: number;
  /** The mean probability of the bin's answers. */
  readonly confidence: number;
  /** The share of the bin's answers that are right. */
  readonly accuracy: number;
}

/** Compares probabilities with frequencies: of the answers given with 80 %, are 80 % right? */
export interface Calibration {
  /**
   * The expected calibration error: the distance between confidence and accuracy, averaged over the samples. Source:
   * Guo et al., https://arxiv.org/abs/1706.04599
   */
  readonly error: number;
  /** The bins that hold samples, in ascending order of probability. */
  readonly bins: readonly CalibrationBin[];
}

/** Permutation importance: how much worse a model gets when the values of a column are shuffled among the rows. */
export interface Importance {
  /** The measure that grows when a column is shuffled: `log loss` or `RMSE`. */
  readonly measure: string;
  /** `rows` counts the rows that the model answered, `repeats` how often each column was shuffled. */
  readonly rows: number;
  readonly repeats: number;
  /**
   * The columns in descending order of importance, each with the mean growth of the measure and its standard deviation
   * over the repeats.
   */
  readonly columns: readonly { readonly name: string; readonly mean: number; readonly deviation: number }[];
}
