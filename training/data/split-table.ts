/**
 * Splits a table into the parts of a training run. The values that fill gaps, and the range and typical value of each
 * column, are learnt from the training part.
 */
import { at } from '../arrays/index.ts';
import type { Column } from '../columns/index.ts';
import { unexpected } from '../files/index.ts';
import type { Dataset } from './dataset.ts';
import { noteDuplicates } from './duplicates.ts';
import { fitFills, type Imputations } from './impute.ts';
import { type ColumnSummary, short } from './inferred.ts';
import type { DataSource } from './options.ts';
import { createRandom } from './random.ts';
import { describeColumns } from './describe-columns.ts';
import { splitDataset, type Splits } from './split.ts';
import type { Table } from './table.ts';

export interface SplitOptions extends Pick<DataSource, 'validationShare' | 'testShare'> {
  /** Seeds the choice of each part's samples. */
  readonly seed: number;
}

export interface SplitTable extends Splits, Omit<Table, 'dataset'> {}

/**
 * Splits a table and completes its columns.
 *
 * @throws UserError where there are too few rows
 */
export function splitTable(
  { columns: unfilled, dataset, summary, notes }: Table,
  imputations: Imputations,
  options: SplitOptions,
): SplitTable {
  const splits = splitByShares(dataset, options);
  const withGaps = new Set(summary.filter(({ missing }) => missing > 0).map(({ name }) => name));
  const columns = describeColumns(fitFills(unfilled, imputations, withGaps, splits.train), splits.train);
  return { ...splits, columns, summary: withFills(summary, columns), notes: [...notes, ...noteDuplicates(splits)] };
}

/** Adds to the summary how missing values are handled. */
function withFills(summary: readonly ColumnSummary[], columns: readonly Column[]): readonly ColumnSummary[] {
  const found = new Map(columns.map((column) => [column.name, column]));
  return summary.map((line) => {
    const column = found.get(line.name);
    const how = column && line.missing > 0 ? fillInWords(column) : '';
    return { ...line, done: [line.done, how].filter((text) => text !== '').join('; ') };
  });
}

/** Says how gaps are filled: `missing: median 4050, and the model is told`, `missing: a category of its own`. */
function fillInWords(column: Column): string {
  const { kind, fill, missing = 'value' } = column;
  if (fill === null) return '';
  if (kind === 'date') return 'missing: the model is told';
  if (kind === 'numeric')
    return `missing: ${missing === 'value' ? '' : `${missing} `}${short(fill)}${column.indicator ? ', and the model is told' : ''}`;
  return missing === 'category' ? 'missing: a category of its own' : `missing: ${at(column.categories, fill)}`;
}

/** The minimum number of samples to train on: Batch Norm normalizes a single sample to 0. */
const MIN_TRAINED = 2;

/**
 * Splits a data set at random, with at least one sample in each part that is wanted.
 *
 * @throws UserError where there are too few samples
 */
export function splitByShares(
  dataset: Dataset,
  { seed, validationShare = 0.1, testShare = 0.1 }: SplitOptions,
): Splits {
  const size = (share: number) => (share === 0 ? 0 : Math.max(1, Math.round(dataset.count * share)));
  const sizes = { validation: size(validationShare), test: size(testShare) };
  const min = MIN_TRAINED + Math.min(sizes.validation, 1) + Math.min(sizes.test, 1);
  // Data that are not split are only evaluated, so any number of samples will do.
  if (dataset.count < min && min > MIN_TRAINED) {
    const parts = [
      `${MIN_TRAINED} to train on`,
      sizes.validation > 0 && 'one for validation',
      sizes.test > 0 && 'one for the test',
    ];
    const wanted = `at least ${min} samples, ${parts.filter(Boolean).join(', ')}`;
    throw unexpected('data', wanted, `${dataset.count}; --validation-share 0 or --test-share 0 do without a part`);
  }
  if (dataset.count - sizes.validation - sizes.test === 1 && min > MIN_TRAINED) {
    const got = `1 of ${dataset.count}; smaller shares by --validation-share and --test-share leave more`;
    throw unexpected('data', `at least ${MIN_TRAINED} samples to train on`, got);
  }
  return splitDataset(dataset, sizes, createRandom(seed));
}
