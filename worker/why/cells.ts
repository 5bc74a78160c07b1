/** Finds the numbers of each column in a row, and other values that may stand there. */
import { present } from '../../training/arrays/index.ts';
import type { Column } from '../../training/columns/column.ts';
import { readerOf, widthOf } from '../../training/columns/prepare.ts';
import { RequestError } from '../errors.ts';

/** Locates the numbers of a column in a row of numbers. */
export interface ColumnPlace {
  readonly column: Column;
  readonly at: number;
  readonly width: number;
}

export function placesOf(columns: readonly Column[]): readonly ColumnPlace[] {
  let next = 0;
  return columns.map((column) => {
    const [at, width] = [next, widthOf(column)];
    next += width;
    return { column, at, width };
  });
}

/**
 * Returns the typical row: means, the most frequent categories, dates in the middle.
 * @throws RequestError when the card lacks a typical value
 */
export function typicalRow(places: readonly ColumnPlace[]): Float32Array {
  const row = new Float32Array(places.reduce((sum, { width }) => sum + width, 0));
  for (const place of places) {
    const { name, typical } = place.column;
    if (typical !== undefined && write(place, typical, row)) continue;
    const way = 'train again, or set it in the card';
    throw new RequestError(
      'not found',
      `explain: expected a typical value of ${JSON.stringify(name)}, got none: ${way}`,
    );
  }
  return row;
}

/**
 * Writes a value into a row.
 * @returns whether the column has such a value
 */
export const write = ({ column, at }: ColumnPlace, value: string | number, into: Float32Array): boolean =>
  readerOf(column)(value, into, at) === undefined;

export const isSame = ({ at, width }: ColumnPlace, a: Float32Array, b: Float32Array): boolean =>
  Array.from({ length: width }, (_, i) => at + i).every((i) => Object.is(a[i], b[i]));

export interface Candidate {
  readonly value: string | number;
  /** The distance from the row's own value, as a share of the range of training; 1 for another category. */
  readonly distance: number;
}

/** Returns values from the range of training, nearest first, without the row's own. */
export function candidatesOf(place: ColumnPlace, row: Float32Array, count: number): readonly Candidate[] {
  const { column, at } = place;
  const own = present(row[at]);
  if (column.kind === 'categorical') {
    return column.categories.flatMap((value, i) => (i === own ? [] : [{ value, distance: 1 }])).slice(0, count);
  }
  if (!column.range) return [];
  if (column.kind === 'date') return datesOf(place, column.range, row, count);
  return numbersBetween(column.range, column.range, own, count);
}

/**
 * Returns numbers between `from` and `to`, nearest first. `min` and `max` are the range of training, by which distances
 * are measured.
 */
export function numbersBetween(
  [from, to]: readonly [number, number],
  [min, max]: readonly [number, number],
  own: number,
  count: number,
): readonly Candidate[] {
  const width = max - min;
  if (!(width > 0)) return [];
  const isWhole = Number.isInteger(min) && Number.isInteger(max) && width > 2;
  // Values are rounded to numbers that are easy to read, and tried as they are shown.
  const step = Math.max(10 ** Math.floor(Math.log10(width / 500)), isWhole ? 1 : 0);
  const values = Array.from({ length: count + 1 }, (_, i) =>
    Number((Math.round((from + (i / count) * (to - from)) / step) * step).toPrecision(12)),
  );
  return [...new Set(values)]
    .filter((value) => Math.fround(value) !== own && value >= min && value <= max)
    .map((value) => ({ value, distance: Number.isNaN(own) ? 1 : Math.abs(value - own) / width }))
    .toSorted((a, b) => a.distance - b.distance);
}

function datesOf(
  place: ColumnPlace,
  range: readonly [string, string],
  row: Float32Array,
  count: number,
): readonly Candidate[] {
  const [from = NaN, to = NaN] = range.map((text) => Date.parse(`${text.slice(0, 10)}T00:00Z`));
  // A time without a date has no day.
  if (!(to > from)) return [];
  const dates = Array.from({ length: count + 1 }, (_, i) =>
    new Date(from + (i / count) * (to - from)).toISOString().slice(0, 10),
  );
  const other = new Float32Array(row.length);
  const distances = dates.map((date) => {
    write(place, date, other);
    return squaredDistance(place, other, row);
  });
  // The row holds numbers made of a date, so its own date is the one whose numbers are nearest; a gap is near none.
  const own = distances.indexOf(Math.min(...distances));
  return dates
    .map((value, i) => ({ value, distance: own < 0 ? 1 : Math.abs(i - own) / count }))
    .filter((_, i) => i !== own)
    .toSorted((a, b) => a.distance - b.distance);
}

/** Computes Σ (a − b)² over the numbers of one column. */
function squaredDistance({ at, width }: ColumnPlace, a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = at; i < at + width; i++) sum += (present(a[i]) - present(b[i])) ** 2;
  return sum;
}
