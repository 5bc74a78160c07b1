/** Shows a confusion matrix in the terminal. */
import { percent } from '../../training/files/index.ts';
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
      classes[k] ?? '',
      ...row.map((times) => (times === 0 ? '·' : String(times))),
      percent(scores[k]?.recall ?? 0),
    ]);
  });
  table.push(['precision', ...scores.map(({ precision }) => `${(100 * precision).toFixed(0)} %`), '']);
  return table.toString();
}

function worstPairs(matrix: ConfusionMatrix, classes: readonly string[]): string {
  const pairs = matrix.flatMap((row, k) =>
    row.map((times, taken) => ({ times: k === taken ? 0 : times, pair: [classes[k] ?? '', classes[taken] ?? ''] })),
  );
  const table = plainTable(['is', 'taken for', 'times']);
  const worst = pairs.filter(({ times }) => times > 0).sort((a, b) => b.times - a.times);
  for (const { pair, times } of worst.slice(0, listed)) table.push([...pair, String(times)]);
  return table.toString();
}
