/**
 * Describes a window: what the answers of one hour had in common, as sums only, from which no input can be recovered. A
 * Durable Object keeps windows by version and hour for those who compare them with what a model expects.
 */

/** The length of a window in milliseconds; each begins at a multiple of it since 1970. */
export const windowMs = 3_600_000;

/** Holds what one hour of answers of one model version had in common. */
export interface DriftWindow {
  /** The start in milliseconds since 1970, at a full hour. */
  readonly start: number;
  /**
   * Counts the samples, each of which is part of everything below. They need not be all that were answered: a monitor
   * may count one request in some, and a sample that makes a layer's input infinite or NaN is left out whole.
   */
  readonly samples: number;
  /** Maps each Batch Norm layer, by its name in `ModelAbout.batchNorm`, to the sums of its input. */
  readonly layers: Readonly<Record<string, ChannelSums>>;
  /** Maps each column of a model of rows, by its name, to its counts. */
  readonly columns: Readonly<Record<string, ColumnSums>>;
  /** Maps each label to the number of samples that got it; empty for models without classes. */
  readonly classes: Readonly<Record<string, number>>;
}

/**
 * Returns an own member of a record: classes and columns may have names that every object inherits, such as
 * `constructor`.
 */
export const memberOf = <Value>(named: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(named, name) ? named[name] : undefined;

/**
 * Holds sums of a layer's input x, per channel. The mean of a sample is taken over its places (pixels; a dense layer
 * has one). These are not independent draws, so the variance between the samples' means shows how far a mean of n
 * samples may stray.
 */
export interface ChannelSums {
  /** Σ over samples of the sample's mean of x. */
  readonly mean: readonly number[];
  /** Σ over samples of the sample's mean of x². */
  readonly square: readonly number[];
  /** Σ over samples of the square of the sample's mean of x. */
  readonly meanSquare: readonly number[];
}

export interface ColumnSums {
  /** Counts the rows with a gap. */
  readonly missing: number;
  /** Counts the rows with a value beyond those of training: a number outside its range, or an unseen category. */
  readonly outOfRange: number;
  /**
   * Counts the values of each bin or category. Numbers fall into the bins between the reference quantiles, of which
   * there is one more than there are quantiles between bins. Categories are counted in the column's order, unseen ones
   * last.
   */
  readonly counts: readonly number[];
}

/** Reads what the Durable Object of a model keeps. */
export interface DriftReader {
  /** @returns the windows that begin in [from, to), the oldest first; hours without answers have none */
  windows(query: WindowsQuery): Promise<readonly DriftWindow[]>;
}

export interface WindowsQuery {
  readonly version: string;
  /**
   * The digest of the reference that the windows were counted against; without it, windows of every model with this
   * version are returned.
   */
  readonly reference?: string;
  /** `from` and `to` are milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}
