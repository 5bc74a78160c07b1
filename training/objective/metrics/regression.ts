/** Metrics of predicted numbers, computed on the host in float64. */
import { present } from '../../arrays/index.ts';

/** √(1/N Σ (output − value)²) */
export const rmse = (output: ArrayLike<number>, values: ArrayLike<number>): number =>
  Math.sqrt(sumOfSquares(values.length, (i) => present(output[i]) - present(values[i])) / values.length);

/**
 * 1 − Σ (output − value)² / Σ (value − mean)²: 1 when all are right, 0 when always answering the mean of all values.
 *
 * @returns −Infinity or NaN for values that are all equal
 */
export function r2(output: ArrayLike<number>, values: ArrayLike<number>): number {
  const mean = Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const unexplained = sumOfSquares(values.length, (i) => present(output[i]) - present(values[i]));
  return 1 - unexplained / sumOfSquares(values.length, (i) => present(values[i]) - mean);
}

function sumOfSquares(count: number, term: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += term(i) ** 2;
  return sum;
}
