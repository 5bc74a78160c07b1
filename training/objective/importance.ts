/**
 * Permutation importance: how much worse a network gets when a column of a table is shuffled. Breiman,
 * https://doi.org/10.1023/A:1010933404324
 */
import type { Importance } from '../answers/index.ts';
import { type Column, widthOf } from '../columns/index.ts';
import { createRandom, type Dataset, subset } from '../data/index.ts';
import { unexpected } from '../files/index.ts';
import type { Objective } from './objective.ts';
import { finiteRows } from './report.ts';
import { objectiveRuleFor } from './rule-of.ts';

export interface ImportanceOptions {
  /** The approximate number of rows that the network answers in all: many columns leave fewer rows for each. */
  readonly budget: number;
  /** Counts how often each column is shuffled. */
  readonly repeats?: number;
  readonly seed?: number;
  /** Receives the share that is done. */
  readonly progress?: (share: number) => void;
}

/** The minimum number of rows. With fewer, the error bars are wider than most of the importances. */
const MIN_ROWS = 50;

/**
 * Measures the growth of the log loss or the RMSE when a column's values are shuffled among the rows. All numbers of a
 * column move together, so any network of rows can be measured: `samples [count, inputs]`.
 *
 * @param answer returns the network's output in the form that the objective judges, `[count, outputs]`
 * @returns undefined where the budget allows fewer than 50 rows
 */
export async function importanceOf(
  answer: (samples: Dataset) => Promise<Float32Array>,
  all: Dataset,
  columns: readonly Column[],
  objective: Objective,
  { budget, repeats = 5, seed = 0, progress = () => undefined }: ImportanceOptions,
): Promise<Importance | undefined> {
  const rows = Math.min(all.count, Math.floor(budget / (columns.length * repeats)));
  if (rows < Math.min(MIN_ROWS, all.count) || all.count < 2) return undefined;
  const random = createRandom(seed).fork('importance');
  const samples = rows < all.count ? subset(all, random.permutation(all.count).subarray(0, rows).sort()) : all;
  requireRowsOf(columns, samples);
  const { risk } = objectiveRuleFor(objective, samples);
  const own = await answer(samples);
  // Without a finite answer to every row the risk is NaN, and the result undefined.
  const riskOf = (output: Float32Array) => (finiteRows(output, rows).length < rows ? NaN : risk.of(output, samples));
  const base = riskOf(own);
  const grown: { name: string; mean: number; deviation: number }[] = [];
  let offset = 0;
  for (const [i, column] of columns.entries()) {
    const width = widthOf(column);
    const growths: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const shuffled = shuffledColumn(samples, offset, width, random.permutation(rows));
      growths.push(riskOf(await answer(shuffled)) - base);
    }
    offset += width;
    grown.push({ name: column.name, ...spreadOf(growths) });
    progress((i + 1) / columns.length);
  }
  const known = grown.filter(({ mean }) => Number.isFinite(mean));
  if (known.length < columns.length) return undefined;
  return { measure: risk.name, rows, repeats, columns: known.sort((a, b) => b.mean - a.mean) };
}

/** @throws UserError for rows that are not those of the columns */
function requireRowsOf(columns: readonly Column[], { inputs, count }: Dataset): void {
  const width = columns.reduce((sum, column) => sum + widthOf(column), 0);
  const got = inputs.length / count;
  if (got !== width) throw unexpected('importance', `rows of ${width} numbers, as the columns say`, got);
}

/**
 * Returns the rows with some of their numbers taken from other rows.
 *
 * @param from the row that each row takes the numbers from
 */
function shuffledColumn(samples: Dataset, offset: number, width: number, from: Int32Array): Dataset {
  const inputs = Float32Array.from(samples.inputs);
  const size = inputs.length / samples.count;
  from.forEach((other, row) => {
    const start = other * size + offset;
    inputs.set(samples.inputs.subarray(start, start + width), row * size + offset);
  });
  return { ...samples, inputs };
}

/** Returns the mean, and the standard deviation of a small sample (divided by n − 1). */
function spreadOf(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(values.length - 1, 1)) };
}
