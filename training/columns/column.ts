/** The columns of a table as a model knows them. These are types alone: an image's own types say the same. */

/** What of a date is known and changes. */
export type DatePart = 'year' | 'season' | 'day of month' | 'weekday' | 'hour';

/** Which of the numbers of `03/04/2024` is which. */
export type DateOrder = 'YMD' | 'DMY' | 'MDY';

/** What is given in place of a missing value, and how it was found; `category` is a place of its own. */
export type Imputed = 'mean' | 'median' | 'most-frequent' | 'value' | 'category';

/** A number. */
export interface NumericColumn {
  readonly kind: 'numeric';
  readonly name: string;
  /** The least and the greatest number of the training part, as float32 holds them. */
  readonly range?: readonly [least: number, greatest: number];
  /** The mean of the training part. */
  readonly typical?: number;
  /** Stands in for a missing number; null where none may be missing. */
  readonly fill: number | null;
  readonly missing?: Imputed;
  /** Whether the model is told beside the fill that the value was missing. */
  readonly indicator?: true;
  /** Whether a text that is none of the column's is a missing value. */
  readonly othersMissing?: true;
  /** The sign beside the numbers of the file, such as `$` or `%`. */
  readonly unit?: string;
}

/** A text of a closed set, which enters as its index in `categories`. */
export interface CategoricalColumn {
  readonly kind: 'categorical';
  readonly name: string;
  readonly categories: readonly string[];
  /** The most frequent category of the training part. */
  readonly typical?: string;
  /** Stands in for a missing category, by its index, which is one more than the last for a place of its own; null where none may be missing. */
  readonly fill: number | null;
  readonly missing?: Imputed;
}

/** A date or a time, which enters as its year and as points on circles. */
export interface DateColumn {
  readonly kind: 'date';
  readonly name: string;
  readonly parts: readonly DatePart[];
  readonly order: DateOrder;
  /** The first and the last year of training: those before and after count as these. */
  readonly years: readonly [first: number, last: number];
  /** The first and the last date of the training part, such as `2024-05-17`, `2024-05-17 17:30` or `17:30`. */
  readonly range?: readonly [first: string, last: string];
  /** The date in the middle of the training part's. */
  readonly typical?: string;
  /** The year that stands in for a missing date, whose points are then the circles' middles; null where none may be missing. */
  readonly fill: number | null;
  readonly missing?: Imputed;
  readonly indicator?: true;
  readonly othersMissing?: true;
}

/** How the values of a number or a category were spread in the training part: what later rows are compared with. */
export interface ColumnReference {
  readonly name: string;
  /** How many rows it is of. */
  readonly samples: number;
  /** The share of rows that had a gap there. */
  readonly missing: number;
  /** Of numbers: where one bin ends and the next begins, in rising order. A value belongs behind all edges that it is not below. */
  readonly edges?: readonly number[];
  /**
   * The share of all rows in each bin, or in each category and last in none that is known. Together with the gaps they are 1.
   */
  readonly shares: readonly number[];
}

export type Column = NumericColumn | CategoricalColumn | DateColumn;
export type ColumnKind = Column['kind'];
