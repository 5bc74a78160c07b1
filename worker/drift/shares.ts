/** How far the shares of what was counted are from those of training: of a column's values, and of the classes that were answered. */
import type { Compared } from './channels.ts';
import { chiSquareQuantile } from './thresholds.ts';

/** What is expected of counts. */
export interface Expected {
  /** One share for each count. */
  readonly shares: readonly number[];
  /** How many samples they are shares of. */
  readonly samples: number;
}

/** What counts may differ by without being called drifted. */
export const allowedShares = {
  /** A population stability index from 0.1 on is customarily called a moderate change, from 0.25 on a large one. */
  stability: 0.1,
  /** As `bn-edge recalibrate` has it. */
  distance: 0.1,
} as const;

/** Rarer ones are counted together: sums of squares of few counts are not distributed as χ². */
const leastExpected = 5;

/**
 * The population stability index of shares p against q,
 *
 *     PSI = Σ (p − q) ln(p / q)
 *
 * which without drift is χ² with k − 1 degrees of freedom times (1/n + 1/m), for n and m samples. Each count is raised by ½, so that nothing is
 * divided by zero.
 */
export function stabilityOf(counts: readonly number[], expected: Expected, tail: number): Compared {
  const merged = mergeRare(counts, expected);
  const [n, m] = [sum(merged.counts), expected.samples];
  const k = merged.counts.length;
  const share = (count: number, of: number): number => (count + 0.5) / (of + k / 2);
  const value = merged.counts.reduce((total, count, i) => {
    const [p, q] = [share(count, n), share((merged.shares[i] ?? 0) * m, m)];
    return total + (p - q) * Math.log(p / q);
  }, 0);
  return { value, threshold: allowedShares.stability + chance(k, n, m, tail) };
}

/**
 * Half the sum of the differences of shares, the total variation distance. By Cauchy and Schwarz it is at most ½ √X², where X² = Σ (p − q)²/q
 * is (1/n + 1/m) χ² without drift.
 */
export function distanceOf(counts: readonly number[], expected: Expected, tail: number): Compared {
  const n = sum(counts);
  const value = counts.reduce((total, count, i) => total + Math.abs(count / n - (expected.shares[i] ?? 0)), 0) / 2;
  const k = mergeRare(counts, expected).counts.length;
  // A network does not answer each class as often as it came in training, even on training's own samples.
  const threshold = allowedShares.distance + Math.sqrt(chance(k, n, expected.samples, tail)) / 2;
  return { value, threshold };
}

/** What a sum of squared relative differences exceeds with probability `tail`. */
const chance = (k: number, n: number, m: number, tail: number): number =>
  k < 2 ? 0 : chiSquareQuantile(k - 1, tail) * (1 / n + 1 / m);

/** Counts of which fewer than five are expected, as one. */
function mergeRare(counts: readonly number[], { shares, samples }: Expected) {
  const n = Math.min(sum(counts), samples);
  const isRare = (i: number): boolean => (shares[i] ?? 0) * n < leastExpected;
  const places = [...counts.keys()];
  const [rare, others] = [places.filter(isRare), places.filter((i) => !isRare(i))];
  const groups = [...others.map((i) => [i]), ...(rare.length > 0 ? [rare] : [])];
  const at = (values: readonly number[]) => groups.map((group) => sum(group.map((i) => values[i] ?? 0)));
  return { counts: at(counts), shares: at(shares) };
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
