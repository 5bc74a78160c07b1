/** Writes the answers to rows as a table of text. */
import type { PredictResponse, RowPrediction } from '../protocol/responses.ts';
import { csvLine } from './csv.ts';

type Cell = string | number | null | undefined;

/** Writes a line for each row, under a header that fits all rows; warnings are a column only when there are any. */
export function csvOf({ predictions }: PredictResponse): string {
  // A row without an answer has no probabilities.
  const classes = [...new Set(predictions.flatMap((row) => Object.keys(probabilitiesOf(row))))];
  const width = Math.max(...predictions.map((row) => numbersOf(row).length));
  const hasInterval = predictions.some((row) => 'low' in row);
  const isWarned = predictions.some(({ warnings }) => warnings);
  const header = [
    ...(predictions[0] ? namesOf(predictions[0], width) : []),
    ...(hasInterval ? ['low', 'high'] : []),
    ...classes.map((name) => `probability of ${name}`),
    ...(isWarned ? ['warnings'] : []),
  ];
  const lines = predictions.map((row) => {
    const probabilities = new Map(Object.entries(probabilitiesOf(row)));
    const cells = [
      ...cellsOf(row, width),
      ...(hasInterval && 'value' in row ? [row.low, row.high] : []),
      ...classes.map((name) => probabilities.get(name)),
      ...(isWarned ? [row.warnings?.join(BETWEEN)] : []),
    ];
    return cells.map((cell) => (cell === null || cell === undefined ? '' : String(cell)));
  });
  return [header, ...lines].map(csvLine).join('');
}

/** Separates several texts in a cell. */
const BETWEEN = '; ';

function namesOf(row: RowPrediction, width: number): readonly string[] {
  if ('labels' in row) return ['labels'];
  if ('label' in row) return ['label', 'probability'];
  return width > 1 ? Array.from({ length: width }, (_, i) => `value ${i + 1}`) : ['value'];
}

function cellsOf(row: RowPrediction, width: number): readonly Cell[] {
  if ('labels' in row) return [row.labels?.join(BETWEEN)];
  if ('label' in row) return [row.label, row.probability];
  return Array.from({ length: Math.max(width, 1) }, (_, i) => numbersOf(row)[i]);
}

const probabilitiesOf = (row: RowPrediction): Readonly<Record<string, number>> =>
  ('probabilities' in row && row.probabilities) || {};

const numbersOf = (row: RowPrediction): readonly (number | null)[] =>
  'values' in row ? (row.values ?? []) : 'value' in row ? [row.value] : [];
