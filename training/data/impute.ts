/**
 * Values for missing cells. They are learnt from the training part alone and kept with the columns, so that the exported
 * model fills the same values in.
 */
import { type Column, expectationOf, readerOf, widthOf } from '../columns/index.ts';
import { quote, unexpected } from '../files/index.ts';
import type { Dataset, Samples } from './dataset.ts';

/** `mean`, `median` (numbers only), `most-frequent`, or else the value itself, as it would stand in a cell. */
export type Imputation = string;

/** An imputation for every column: `others` for numbers without one of their own, the most frequent for categories. */
export const imputeAll = (
  columns: readonly Column[],
  imputations: ReadonlyMap<string, Imputation>,
  others: Imputation,
): ReadonlyMap<string, Imputation> =>
  new Map(
    columns.map(({ name, kind }) => [
      name,
      imputations.get(name) ?? (kind === 'categorical' ? 'most-frequent' : others),
    ]),
  );

/**
 * The columns with the values that fill their gaps, for those that `imputations` names.
 *
 * @param train rows of the training part, `[count, columns]`, NaN where missing.
 * @throws {UserError} for an imputation that does not suit its column, or a column without any value to learn from.
 */
export function fitFills(
  columns: readonly Column[],
  imputations: ReadonlyMap<string, Imputation>,
  train: Samples,
): readonly Column[] {
  return columns.map((column, index) => {
    const imputation = imputations.get(column.name);
    if (imputation === undefined) return column;
    const present = train.inputs.filter((value, i) => i % columns.length === index && !Number.isNaN(value));
    return { ...column, fill: fillOf(column, imputation, Float32Array.from(present)) };
  });
}

function fillOf(column: Column, imputation: Imputation, values: Float32Array): number {
  const where = () => `imputation of column ${quote(column.name)}`;
  if (imputation !== 'mean' && imputation !== 'median' && imputation !== 'most-frequent') {
    return given(column, imputation, where);
  }
  if (values.length === 0) throw unexpected(where(), 'a value to learn from', 'none in the training part');
  if (imputation === 'most-frequent') return mostFrequent(values);
  if (column.kind === 'categorical') throw unexpected(where(), 'most-frequent or a category', imputation);
  return Math.fround(imputation === 'mean' ? mean(values) : median(values));
}

/** The value itself, as it would stand in a cell. */
function given(column: Column, text: string, where: () => string): number {
  const into = new Float32Array(widthOf(column));
  const objection = readerOf(column, { mayMiss: false })(text, into, 0);
  if (objection !== undefined) throw unexpected(where(), expectationOf(column, objection), quote(text));
  return into[0] ?? NaN;
}

const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The middle value, or the mean of the two in the middle. */
function median(values: Float32Array): number {
  const sorted = values.toSorted();
  const half = sorted.length / 2;
  return mean(sorted.subarray(Math.ceil(half) - 1, Math.floor(half) + 1));
}

/** The smallest of them where several are equally frequent. */
function mostFrequent(values: Float32Array): number {
  const counts = new Map<number, number>();
  for (const value of values.toSorted()) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best = { value: NaN, count: 0 };
  for (const [value, count] of counts) if (count > best.count) best = { value, count };
  return best.value;
}

/** The same data set with every gap filled; a column that may not have gaps has none since it was read. */
export function fillMissing<D extends Dataset>(dataset: D, columns: readonly Column[]): D {
  if (columns.every(({ fill }) => fill === null)) return dataset;
  const inputs = dataset.inputs.map((value, i) => {
    return Number.isNaN(value) ? (columns[i % columns.length]?.fill ?? NaN) : value;
  });
  return { ...dataset, inputs };
}
