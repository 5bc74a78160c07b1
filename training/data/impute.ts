/**
 * Imputation: learns what replaces missing values. It is learnt from the training part alone and stored with the
 * columns. The model itself fills gaps, and where the training part had some, an extra input tells it which numbers
 * were missing.
 */
import { at as elementAt, present } from '../arrays/index.ts';
import { type Column, expectationOf, readerOf, widthOf } from '../columns/index.ts';
import { quote, unexpected } from '../files/index.ts';
import type { Samples } from './dataset.ts';
import { flagName } from './inferred.ts';

/**
 * `mean`, `median`, `most-frequent` (or `mode`), `category` (a category of its own), `refuse`, or else the value
 * itself, as it would stand in a cell.
 */
export type Imputation = string;

export interface Imputations {
  /** Maps a column's name to its imputation. */
  readonly own: ReadonlyMap<string, Imputation>;
  /** The imputation of all other numeric columns. */
  readonly others?: Imputation | undefined;
}

/**
 * Returns the columns with the values that fill their gaps. Only columns that have gaps in the file or that the user
 * mentions get one; a gap in any other column is refused later.
 *
 * @param withGaps the columns in which values are missing somewhere in the file
 * @param train rows of the training part, `[count, width]`, NaN where missing
 * @throws UserError for an imputation that does not suit its column, or a column without any value to learn from
 */
export function fitFills(
  columns: readonly Column[],
  { own, others }: Imputations,
  withGaps: ReadonlySet<string>,
  train: Samples,
): readonly Column[] {
  let at = 0;
  return columns.map((column) => {
    const place = at;
    at += widthOf(column);
    const asked = own.get(column.name) ?? (column.kind === 'numeric' ? others : undefined);
    if (asked === 'refuse') return column;
    if (!withGaps.has(column.name) && asked === undefined && others === undefined) return column;
    return filled(column, asked, valuesOf(train, place));
  });
}

interface Values {
  readonly known: Float32Array;
  /** Is true where some values are missing. */
  readonly hasGaps: boolean;
}

function valuesOf({ inputs, inputShape: [width = 1], count }: Samples, place: number): Values {
  const all = Float32Array.from({ length: count }, (_, row) => present(inputs[row * width + place]));
  const known = all.filter((value) => !Number.isNaN(value));
  return { known, hasGaps: known.length < count };
}

function filled(column: Column, asked: Imputation | undefined, values: Values): Column {
  const indicator = values.hasGaps && ({ indicator: true } as const);
  switch (column.kind) {
    case 'numeric':
      return { ...column, ...numberFor(column, asked, values.known), ...indicator };
    case 'date':
      if (asked !== undefined && !isLearnt(asked)) throw unsuited(column, asked, 'median');
      requireSome(column, asked, values.known);
      // The first input of a date is filled with the median year where it is the year; inputs on a circle are filled
      // with its centre, 0.
      return {
        ...column,
        fill: column.parts[0] === 'year' ? median(values.known) : 0,
        missing: 'median',
        ...indicator,
      };
    case 'categorical':
      return {
        ...column,
        ...categoryFor(column, asked ?? (values.hasGaps ? 'category' : 'most-frequent'), values.known),
      };
  }
}

const isLearnt = (asked: Imputation): boolean => ['mean', 'median', 'most-frequent', 'mode'].includes(asked);

function numberFor(column: Column & { readonly kind: 'numeric' }, asked: Imputation | undefined, known: Float32Array) {
  if (asked !== undefined && !isLearnt(asked)) {
    if (asked === 'category') throw unsuited(column, asked, 'mean, median, most-frequent or a number');
    return { fill: given(column, asked), missing: 'value' } as const;
  }
  requireSome(column, asked, known);
  if (asked === 'mean') return { fill: Math.fround(mean(known)), missing: 'mean' } as const;
  if (asked === 'median' || asked === undefined)
    return { fill: Math.fround(median(known)), missing: 'median' } as const;
  return { fill: mostFrequent(known), missing: 'most-frequent' } as const;
}

function categoryFor(column: Column & { readonly kind: 'categorical' }, asked: Imputation, known: Float32Array) {
  if (asked === 'category') return { fill: column.categories.length, missing: 'category' } as const;
  if (asked === 'mean' || asked === 'median')
    throw unsuited(column, asked, 'category, most-frequent or one of the categories');
  if (!isLearnt(asked)) return { fill: given(column, asked), missing: 'value' } as const;
  requireSome(column, asked, known);
  return { fill: mostFrequent(known), missing: 'most-frequent' } as const;
}

const flagOf = (column: Column, asked: Imputation): string => `--missing ${flagName(column)}=${asked}`;

const unsuited = (column: Column, asked: Imputation, expected: string) =>
  unexpected(flagOf(column, asked), expected, asked);

function requireSome(column: Column, asked: Imputation | undefined, known: Float32Array): void {
  if (known.length > 0) return;
  const where = asked === undefined ? `column ${quote(column.name)}` : flagOf(column, asked);
  const got = `none in the training part; --ignore ${flagName(column)} leaves it out`;
  throw unexpected(where, 'a value to learn from', got);
}

/** Reads the user's value as it would stand in a cell. */
function given(column: Column, text: string): number {
  const into = new Float32Array(widthOf(column));
  const objection = readerOf(column, { mayMiss: false })(text, into, 0);
  if (objection !== undefined) throw unsuited(column, text, expectationOf(column, objection));
  return elementAt(into, 0);
}

const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value / values.length, 0);

/** Returns the middle value, or the mean of the two middle ones. */
function median(values: Float32Array): number {
  const sorted = values.toSorted();
  const half = sorted.length / 2;
  return mean(sorted.subarray(Math.ceil(half) - 1, Math.floor(half) + 1));
}

/** Returns the most frequent value, and the smallest of several that are equally frequent. */
function mostFrequent(values: Float32Array): number {
  const counts = new Map<number, number>();
  for (const value of values.toSorted()) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best = { value: NaN, count: 0 };
  for (const [value, count] of counts) if (count > best.count) best = { value, count };
  return best.value;
}
