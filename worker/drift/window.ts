/**
 * What the answers of one hour had in common: sums alone, from which nobody gets an input back. A Durable Object keeps them, by
 * version and hour, and whoever compares them with what a model expects reads them from there.
 */

/** The length of a window, in milliseconds; each begins at a multiple of it since 1970. */
export const windowMs = 3_600_000;

/** What one hour of answers of one model version had in common. */
export interface DriftWindow {
  /** Milliseconds since 1970, at a full hour. */
  readonly start: number;
  /**
   * How many samples were counted, each of them in everything below. They need not be all that were answered: an image may watch one
   * request in some, and a sample that makes a layer's input infinite or no number is left out whole.
   */
  readonly samples: number;
  /** Of what goes into each Batch Norm layer, by its name in `ModelAbout.batchNorm`. */
  readonly layers: Readonly<Record<string, ChannelSums>>;
  /** Of the columns of a model of rows, by their names. */
  readonly columns: Readonly<Record<string, ColumnSums>>;
  /** How many samples got each class, by its label; empty for models without classes. */
  readonly classes: Readonly<Record<string, number>>;
}

/** A member of the record's own: classes and columns may be called as what every object has, such as `constructor`. */
export const memberOf = <Value>(named: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(named, name) ? named[name] : undefined;

/**
 * Of a layer's input x, per channel. The mean of a sample is over its places (pixels; a dense layer has one), which are no
 * independent draws: how far a mean of n samples may stray is told by the variance between the samples' means.
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
  /** How many rows had a gap there. */
  readonly missing: number;
  /** How many had a value beyond those of training: a number outside of its range, or an unseen category. */
  readonly outOfRange: number;
  /**
   * How many values fell where. Of numbers: into each of the bins between the reference quantiles, of which there is one more than
   * there are quantiles between bins. Of categories: each in the column's order, and unseen ones last.
   */
  readonly counts: readonly number[];
}

/** What a model's Durable Object tells of it. */
export interface DriftReader {
  /** @returns the windows that begin in [from, to), the oldest first; hours without answers have none */
  windows(query: WindowsQuery): Promise<readonly DriftWindow[]>;
}

export interface WindowsQuery {
  readonly version: string;
  /** The digest of what they are to be compared with: without it, those of any model that has the version. */
  readonly reference?: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}
