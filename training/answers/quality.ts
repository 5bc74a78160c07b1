/** What is known of a model's answers beside the model: how they are read, and how far they are to be trusted. These are types alone. */

/** From which probability on a label is told, by the label: of two classes that of one of them, of labels that do not exclude each other any. */
export type Thresholds = Readonly<Record<string, number>>;

/** What stands around a number: the value, less and more by half the width. */
export interface Interval {
  /** The share of values that it is meant to hold, such as 0.9. */
  readonly level: number;
  readonly halfWidth: number;
  /** The share that it held of the test part; absent where there was none. */
  readonly coverage?: number;
}

/** The samples whose answer has a probability within a stretch. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly samples: number;
  /** The mean probability of the answers. */
  readonly confidence: number;
  /** The share of them that are right. */
  readonly accuracy: number;
}

/** Whether probabilities mean what they say: of the answers given with 80 %, are 80 % right? */
export interface Calibration {
  /** The mean distance between both over the samples, the expected calibration error: Guo et al., https://arxiv.org/abs/1706.04599 */
  readonly error: number;
  /** Those with samples, in order. */
  readonly bins: readonly CalibrationBin[];
}

/** What a model loses without a column: how much worse it is when the column's values are dealt to other rows. */
export interface Importance {
  /** What grows: `log loss` or `RMSE`. */
  readonly measure: string;
  /** How many rows were asked about, and how often each column was dealt anew. */
  readonly rows: number;
  readonly repeats: number;
  /** The greatest first: the mean growth, and its standard deviation over the repeats. */
  readonly columns: readonly { readonly name: string; readonly mean: number; readonly deviation: number }[];
}
