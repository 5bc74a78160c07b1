/** Permutation importance: how much worse a network is without each column of a table. Breiman, https://doi.org/10.1023/A:1010933404324 */
import type { Importance } from '../answers/index.ts';
import { type Column, widthOf } from '../columns/index.ts';
import { createRandom, type Dataset, subset } from '../data/index.ts';
import { unexpected } from '../files/index.ts';
import type { Objective } from './objective.ts';
import { finiteRows } from './report.ts';
import { objectiveRuleFor } from './rule-of.ts';

export interface ImportanceOptions {
  /** About so many rows are asked about in all: fewer rows of many columns. */
  readonly budget: number;
  /** How often each column is dealt anew. */
  readonly repeats?: number;
  readonly seed?: number;
  /** Is told which share is done. */
  readonly progress?: (share: number) => void;
}

/** With fewer rows the error bars are wider than most of what they stand around. */
const FEWEST_ROWS = 50;

/**
 * The growth of the log loss or the RMSE when a column's values are dealt to other rows, all numbers of one column together, so that any
 * network of rows can be asked: `samples [count, inputs]`.
 *
 * @param answer gives what is judged by the objective, `[count, outputs]`
 * @returns undefined where the budget is for fewer than 50 rows
 */
export async function importanceOf(
  answer: (samples: Dataset) => Promise<Float32Array>,
  all: Dataset,
  columns: readonly Column[],
  objective: Objective,
  { budget, repeats = 5, seed = 0, progress = () => undefined }: ImportanceOptions,
): Promise<Importance | undefined> {
  const rows = Math.min(all.count, Math.floor(budget / (columns.length * repeats)));
  if (rows < Math.min(FEWEST_ROWS, all.count) || all.count < 2) return undefined;
  const random = createRandom(seed).fork('importance');
  const samples = rows < all.count ? subset(all, random.permutation(all.count).subarray(0, rows).sort()) : all;
  const { risk } = objectiveRuleFor(objective, samples);
  const own = await answer(samples);
  // A row without an answer says nothing; whether others lose theirs does.
  const riskOf = (output: Float32Array) => (finiteRows(output, rows).length < rows ? NaN : risk.of(output, samples));
  const base = riskOf(own);
  const grown: { name: string; mean: number; deviation: number }[] = [];
  let at = 0;
  for (const [i, column] of columns.entries()) {
    const width = widthOf(column);
    const growths: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const dealt = dealtAmong(samples, at, width, random.permutation(rows));
      growths.push(riskOf(await answer(dealt)) - base);
    }
    at += width;
    grown.push({ name: column.name, ...spreadOf(growths) });
    progress((i + 1) / columns.length);
  }
  if (at !== samples.inputs.length / rows)
    throw unexpected('importance', `rows of ${at} numbers, as the columns say`, samples.inputs.length / rows);
  const known = grown.filter(({ mean }) => Number.isFinite(mean));
  if (known.length < columns.length) return undefined;
  return { measure: risk.name, rows, repeats, columns: known.sort((a, b) => b.mean - a.mean) };
}

/** The rows with some of their numbers from others. @param from which row each gets them of */
function dealtAmong(samples: Dataset, at: number, width: number, from: Int32Array): Dataset {
  const inputs = Float32Array.from(samples.inputs);
  const size = inputs.length / samples.count;
  from.forEach((other, row) => {
    inputs.set(samples.inputs.subarray(other * size + at, other * size + at + width), row * size + at);
  });
  return { ...samples, inputs };
}

/** The mean, and the standard deviation of a sample of few. */
function spreadOf(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(values.length - 1, 1)) };
}
