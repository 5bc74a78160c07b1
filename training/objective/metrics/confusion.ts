/** The confusion matrix and the scores derived from it. */
import { at, present } from '../../arrays/index.ts';

/**
 * Counts how often each class (row) was predicted as each class (column): `[classes][classes]`. A sample without an
 * answer is not counted.
 */
export type ConfusionMatrix = readonly (readonly number[])[];

export function confusionMatrix(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): ConfusionMatrix {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let sample = 0; sample < labels.length; sample++) {
    const row = matrix[present(labels[sample])];
    const column = present(predicted[sample]);
    const times = row?.[column];
    if (row && times !== undefined) row[column] = times + 1;
  }
  return matrix;
}

export interface ClassScores {
  /** The share of the predictions of the class that are right; 0 when there are none. */
  readonly precision: number;
  /** The share of the samples of the class that are found; 0 when there are none. */
  readonly recall: number;
  /** The harmonic mean of both, 2 TP / (2 TP + FP + FN). */
  readonly f1: number;
}

export function classScores(matrix: ConfusionMatrix): readonly ClassScores[] {
  return matrix.map((row, k) => {
    const hits = at(row, k);
    const actual = sum(row);
    const predicted = sum(columnOf(matrix, k));
    return { precision: share(hits, predicted), recall: share(hits, actual), f1: share(2 * hits, actual + predicted) };
  });
}

/**
 * Returns the mean F1 over the classes, each counted alike, without classes that occur neither among the samples nor
 * among the answers.
 */
export function macroF1(matrix: ConfusionMatrix): number {
  const occurring = classScores(matrix).filter((_, k) => sum(at(matrix, k)) + sum(columnOf(matrix, k)) > 0);
  return sum(occurring.map(({ f1 }) => f1)) / occurring.length;
}

const columnOf = (matrix: ConfusionMatrix, k: number): readonly number[] => matrix.map((row) => at(row, k));

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
