/** Shows in the terminal what an evaluation has measured: confusions, calibration, the importance of columns. */
import { at } from '../../training/arrays/index.ts';
import type { Calibration, Importance } from '../../training/answers/index.ts';
import { count, fourDigits, percent } from '../../training/files/index.ts';
import { classScores, type ConfusionMatrix } from '../../training/objective/index.ts';
import { plainTable } from './table.ts';

/** More classes would not fit into a terminal side by side. */
const widest = 16;
const listed = 10;

/**
 * Returns a table with a row for each class and a column for each predicted class. For many classes, it lists the pairs
 * that are mixed up most often.
 */
export function confusionTable(matrix: ConfusionMatrix, classes: readonly string[]): string {
  return classes.length <= widest ? wholeMatrix(matrix, classes) : worstPairs(matrix, classes);
}

function wholeMatrix(matrix: ConfusionMatrix, classes: readonly string[]): string {
  const scores = classScores(matrix);
  const table = plainTable(['', ...classes, 'recall']);
  matrix.forEach((row, k) => {
    table.push([
      at(classes, k),
      ...row.map((times) => (times === 0 ? '·' : String(times))),
      percent(at(scores, k).recall),
    ]);
  });
  table.push(['precision', ...scores.map(({ precision }) => `${(100 * precision).toFixed(0)} %`), '']);
  return table.toString();
}

function worstPairs(matrix: ConfusionMatrix, classes: readonly string[]): string {
  const pairs = matrix.flatMap((row, k) =>
    row.map((times, taken) => ({ times: k === taken ? 0 : times, pair: [at(classes, k), at(classes, taken)] })),
  );
  const table = plainTable(['is', 'taken for', 'times']);
  const worst = pairs.filter(({ times }) => times > 0).sort((a, b) => b.times - a.times);
  for (const { pair, times } of worst.slice(0, listed)) table.push([...pair, String(times)]);
  return table.toString();
}

/** Shows how well probabilities are calibrated. */
export function calibrationTable({ error, bins }: Calibration): string {
  const table = plainTable(['answers given with', 'samples', 'mean probability', 'right']);
  for (const { from, to, samples, confidence, accuracy } of bins) {
    table.push([
      `${Math.round(100 * from)}–${Math.round(100 * to)} %`,
      count(samples),
      percent(confidence),
      percent(accuracy),
    ]);
  }
  return `expected calibration error ${percent(error)}: mean gap of probability and share right\n${table.toString()}`;
}

/** The maximum number of columns that are listed. */
const maxColumns = 20;

export function importanceTable({ measure, rows, repeats, columns }: Importance): string {
  const table = plainTable(['column', `${measure} grows by`, '±']);
  for (const { name, mean, deviation } of columns.slice(0, maxColumns))
    table.push([name, fourDigits(mean), fourDigits(deviation)]);
  const more =
    columns.length > maxColumns ? `\nand ${count(columns.length - maxColumns)} columns that are worth less` : '';
  return `what each column is worth: its values shuffled among ${count(rows)} rows, ${repeats} times\n${table.toString()}${more}`;
}
