/**
 * The columns of a table as a model knows them. This file holds types alone, since the types of an image state the
 * same.
 */

/** The parts of a date that become inputs, where they vary in training. */
export type DatePart = 'year' | 'season' | 'day of month' | 'weekday' | 'hour';

/** The order of the numbers in a date such as `03/04/2024`. */
export type DateOrder = 'YMD' | 'DMY' | 'MDY';

/** The origin of the value that replaces a missing one; `category` means a category of its own. */
export type Imputed = 'mean' | 'median' | 'most-frequent' | 'value' | 'category';

/** A column of numbers. */
export interface NumericColumn {
  readonly kind: 'numeric';
  readonly name: string;
  /** The minimum and maximum of the training part, as float32 numbers. */
  readonly range?: readonly [min: number, max: number];
  /** The mean of the training part. */
  readonly typical?: number;
  /** Replaces a missing number; null where none may be missing. */
  readonly fill: number | null;
  readonly missing?: Imputed;
  /** Is true where an extra input tells the model that the value was missing. */
  readonly indicator?: true;
  /** Is true where a text that is not a value of the column counts as missing. */
  readonly othersMissing?: true;
  /** The unit beside the numbers in the file, such as `$` or `%`. */
  readonly unit?: string;
}

/** A column of texts from a closed set. A text is given to the model as its index in `categories`. */
export interface CategoricalColumn {
  readonly kind: 'categorical';
  readonly name: string;
  readonly categories: readonly string[];
  /** The most frequent category of the training part. */
  readonly typical?: string;
  /**
   * Replaces a missing category, by index. An index one beyond the last category means a category of its own. Null
   * where none may be missing.
   */
  readonly fill: number | null;
  readonly missing?: Imputed;
}

/** A column of dates or times. They are given to the model as the year and as points on circles. */
export interface DateColumn {
  readonly kind: 'date';
  readonly name: string;
  readonly parts: readonly DatePart[];
  readonly order: DateOrder;
  /** The first and last year of training; earlier and later years count as these. */
  readonly years: readonly [first: number, last: number];
  /** The first and last date of the training part, such as `2024-05-17`, `2024-05-17 17:30` or `17:30`. */
  readonly range?: readonly [first: string, last: string];
  /** The median date of the training part. */
  readonly typical?: string;
  /**
   * The year that replaces that of a missing date, whose points become the centres of the circles; null where none may
   * be missing.
   */
  readonly fill: number | null;
  readonly missing?: Imputed;
  readonly indicator?: true;
  readonly othersMissing?: true;
}

/** The distribution of a column's values in the training part, which later rows are compared with. */
export interface ColumnReference {
  readonly name: string;
  /** The number of rows that it describes. */
  readonly samples: number;
  /** The share of rows without a value. */
  readonly missing: number;
  /** For numbers: the edges between the bins, ascending. An edge belongs to the bin above it. */
  readonly edges?: readonly number[];
  /**
   * The share of all rows in each bin, or in each category and last in unknown ones. Together with `missing` they add
   * up to 1.
   */
  readonly shares: readonly number[];
}

export type Column = NumericColumn | CategoricalColumn | DateColumn;
export type ColumnKind = Column['kind'];
