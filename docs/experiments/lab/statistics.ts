/** Summarizes repeats: mean, spread, and whether two sets of repeats differ by more than their own noise. */
import { present } from '../../../training/arrays/index.ts';

export const sum = (values: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += present(values[i]);
  return total;
};

export const mean = (values: ArrayLike<number>): number => sum(values) / values.length;

/** Computes s² = 1/(n − 1) Σ (x − x̄)², and 0 for a single value. */
export function variance(values: ArrayLike<number>): number {
  const centre = mean(values);
  const squares = Array.from(values, (value) => (value - centre) ** 2);
  return sum(squares) / Math.max(1, values.length - 1);
}

export const deviation = (values: ArrayLike<number>): number => Math.sqrt(variance(values));

/**
 * Is true when the mean of `less` lies below that of `more` by over two standard errors of the difference,
 *
 *     mean(more) − mean(less) > 2 √(s²/n + s²/n)
 *
 * so that the repeats themselves justify the tolerance.
 */
export function clearlyBelow(less: readonly number[], more: readonly number[]): boolean {
  const error = Math.sqrt(variance(less) / less.length + variance(more) / more.length);
  return mean(more) - mean(less) > 2 * error;
}

/** Computes max |a − b|. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(present(a[i]) - present(b[i])));
  return largest;
}

/** Computes the slope of the least-squares line through (ln x, ln y), which is the power of x that y follows. */
export function powerLaw(points: readonly { readonly x: number; readonly y: number }[]): number {
  const logs = points.map(({ x, y }) => [Math.log(x), Math.log(y)] as const);
  const [centreX, centreY] = [mean(logs.map(([x]) => x)), mean(logs.map(([, y]) => y))];
  const products = logs.map(([x, y]) => (x - centreX) * (y - centreY));
  return sum(products) / sum(logs.map(([x]) => (x - centreX) ** 2));
}
