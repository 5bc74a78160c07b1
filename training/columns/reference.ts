/**
 * Counts the distribution of columns: over bins between the deciles of the training part, or over categories. The same
 * function counts the training rows and later ones, so that a difference is one of the rows. Dates are not counted,
 * since they move on by themselves.
 */
import { at, present } from '../arrays/index.ts';
import type { Column, ColumnReference } from './column.ts';
import { widthOf } from './prepare.ts';

/** The counts of one column over some rows. */
export interface ColumnCounts {
  readonly missing: number;
  /** Counts numbers outside the range of the training part, and categories that it does not have. */
  readonly outOfRange: number;
  /**
   * The counts of the bins (empty where the bins of a number are unknown), or those of the categories followed by that
   * of unknown ones.
   */
  readonly counts: readonly number[];
}

export interface ColumnCounter {
  readonly name: string;
  /** The column's index among those of the model. */
  readonly index: number;
  /**
   * Counts the values of rows.
   *
   * @param numbers the inputs that the rows have become, row after row
   * @param isUnknown whether the row's category is unknown, and therefore missing for the model
   */
  readonly count: (numbers: ArrayLike<number>, rows: number, isUnknown?: (row: number) => boolean) => ColumnCounts;
}

/**
 * Makes a counter for each column, except dates.
 *
 * @param references of some of the columns, matched by their names
 */
export function columnCounter(
  columns: readonly Column[],
  references: readonly ColumnReference[] = [],
): readonly ColumnCounter[] {
  const width = columns.reduce((sum, column) => sum + widthOf(column), 0);
  let place = 0;
  return columns.flatMap((column, index) => {
    const offset = place;
    place += widthOf(column);
    if (column.kind === 'date') return [];
    const { name } = column;
    const binner = binnerOf(column, references.find((reference) => reference.name === name)?.edges);
    return {
      name,
      index,
      count: (numbers, rows, isUnknown = () => false) => {
        let [missing, outOfRange] = [0, 0];
        const counts = new Array<number>(binner.size).fill(0);
        for (let row = 0; row < rows; row++) {
          const value = present(numbers[row * width + offset]);
          const isBeyond = isUnknown(row) || binner.isBeyond(value);
          if (isBeyond) outOfRange++;
          const bin = isUnknown(row) ? binner.size - 1 : Number.isNaN(value) ? -1 : binner.bin(value);
          if (bin >= 0 && bin < binner.size) counts[bin] = present(counts[bin]) + 1;
          else if (Number.isNaN(value)) missing++;
        }
        return { missing, outOfRange, counts };
      },
    };
  });
}

/** Sorts the values of a column into bins. */
interface Binner {
  /** The number of counts. */
  readonly size: number;
  readonly bin: (value: number) => number;
  readonly isBeyond: (value: number) => boolean;
}

function binnerOf(column: Exclude<Column, { kind: 'date' }>, edges: readonly number[] | undefined): Binner {
  if (column.kind === 'categorical') {
    const known = column.categories.length;
    const isBeyond = (value: number): boolean => value >= known || value < 0;
    return { size: known + 1, bin: (value) => (isBeyond(value) ? known : Math.trunc(value)), isBeyond };
  }
  const [min, max] = column.range ?? [-Infinity, Infinity];
  return {
    size: edges ? edges.length + 1 : 0,
    bin: edges ? (value) => binAmong(edges, value) : () => 0,
    isBeyond: (value) => value < min || value > max,
  };
}

function binAmong(edges: readonly number[], value: number): number {
  const bin = edges.findIndex((edge) => value < edge);
  return bin < 0 ? edges.length : bin;
}

const BINS = 10;

/**
 * Returns the distribution of each column in the training part; none without rows.
 *
 * @param numbers the inputs of the training part's rows, row after row
 */
export function referencesOf(
  columns: readonly Column[],
  numbers: ArrayLike<number>,
  rows: number,
): readonly ColumnReference[] {
  if (rows === 0) return [];
  const width = columns.reduce((sum, column) => sum + widthOf(column), 0);
  const edges = new Map<string, readonly number[]>();
  let place = 0;
  for (const column of columns) {
    const values = Float64Array.from({ length: rows }, (_, row) => present(numbers[row * width + place]));
    if (column.kind === 'numeric') edges.set(column.name, edgesOf(values));
    place += widthOf(column);
  }
  const empty = columns.map(({ name }) => {
    const own = edges.get(name);
    return { name, samples: rows, missing: 0, shares: [], ...(own && { edges: own }) };
  });
  return columnCounter(columns, empty).map(({ index, count }) => {
    const { missing, counts } = count(numbers, rows);
    return { ...at(empty, index), missing: missing / rows, shares: counts.map((n) => n / rows) };
  });
}

/**
 * Returns the distinct deciles; many equal values give fewer bins. The minimum is not an edge, since no value is below
 * it.
 */
function edgesOf(values: Float64Array): readonly number[] {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const [min] = sorted;
  const deciles = Array.from({ length: BINS - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / BINS)]);
  return [...new Set(deciles)].filter((edge) => edge !== undefined).filter((edge) => edge !== min);
}
