/** Answers to rows as a table of text. */
import type { PredictResponse, RowPrediction } from '../protocol/responses.ts';
import { csvLine } from './csv.ts';

/** A line for each row, under names that are the same whatever the rows are; warnings only where there are any. */
export function csvOf({ predictions }: PredictResponse): string {
  // A row without an answer has no probabilities.
  const classes = [...new Set(predictions.flatMap((row) => Object.keys(probabilitiesOf(row))))];
  const width = Math.max(...predictions.map((row) => numbersOf(row).length));
  const isWarned = predictions.some(({ warnings }) => warnings);
  const header = [
    ...(width === 0 ? ['label', 'probability'] : width === 1 ? ['value'] : numbered(width)),
    ...classes.map((name) => `probability of ${name}`),
    ...(isWarned ? ['warnings'] : []),
  ];
  const lines = predictions.map((row) => {
    const cells =
      'label' in row ? [row.label, row.probability, ...classes.map((name) => probabilitiesOf(row)[name])] : [];
    const numbers = Array.from({ length: width }, (_, i) => numbersOf(row)[i]);
    return [
      ...[...cells, ...numbers].map((cell) => (cell === null || cell === undefined ? '' : String(cell))),
      ...(isWarned ? [row.warnings?.join('; ') ?? ''] : []),
    ];
  });
  return [header, ...lines].map(csvLine).join('');
}

const probabilitiesOf = (row: RowPrediction): Readonly<Record<string, number>> =>
  ('label' in row && row.probabilities) || {};

const numbersOf = (row: RowPrediction): readonly (number | null)[] =>
  'values' in row ? row.values : 'value' in row ? [row.value] : [];

const numbered = (width: number): readonly string[] => Array.from({ length: width }, (_, i) => `value ${i + 1}`);
