/**
 * Measures how far counted shares are from those of training: the shares of a column's values by the population
 * stability index, and those of the answered classes by the total variation distance.
 */
import { at } from '../../training/arrays/index.ts';
import type { Compared } from './channels.ts';
import { chiSquareQuantile } from './thresholds.ts';

/** Holds the expected distribution of counts. */
export interface Expected {
  /** Holds one share for each count. */
  readonly shares: readonly number[];
  /** Counts the samples that the shares were taken from. */
  readonly samples: number;
}

/** Limits up to which shares may differ without drift. */
const allowedShares = {
  /** A population stability index from 0.1 is by custom a moderate change, and from 0.25 a large one. */
  stability: 0.1,
  /** The same limit as in `bn-edge recalibrate`. */
  distance: 0.1,
} as const;

/** Counts of a smaller expectation are merged: sums of squares of small counts do not follow χ². */
const minExpected = 5;

/**
 * Computes the population stability index of shares p against q,
 *
 *     PSI = Σ (p − q) ln(p / q)
 *
 * which without drift follows (1/n + 1/m) χ² with k − 1 degrees of freedom, for n and m samples. Each count is raised
 * by ½, so that nothing is divided by zero.
 */
export function stabilityOf(counts: readonly number[], expected: Expected, tail: number): Compared {
  const merged = mergeRare(counts, expected);
  const [n, m] = [sum(merged.counts), expected.samples];
  const k = merged.counts.length;
  const share = (count: number, of: number): number => (count + 0.5) / (of + k / 2);
  const value = merged.counts.reduce((total, count, i) => {
    const [p, q] = [share(count, n), share(at(merged.shares, i) * m, m)];
    return total + (p - q) * Math.log(p / q);
  }, 0);
  return { value, threshold: allowedShares.stability + chance(k, n, m, tail) };
}

/**
 * Computes half the sum of the absolute differences of shares, the total variation distance. By Cauchy and Schwarz it
 * is at most ½ √X², where X² = Σ (p − q)²/q follows (1/n + 1/m) χ² without drift.
 */
export function distanceOf(counts: readonly number[], expected: Expected, tail: number): Compared {
  const n = sum(counts);
  const value = counts.reduce((total, count, i) => total + Math.abs(count / n - at(expected.shares, i)), 0) / 2;
  const k = mergeRare(counts, expected).counts.length;
  // A network does not answer each class as often as it came in training, even on training's own samples.
  const threshold = allowedShares.distance + Math.sqrt(chance(k, n, expected.samples, tail)) / 2;
  return { value, threshold };
}

/** Returns the value that a sum of squared relative differences exceeds with probability `tail`. */
const chance = (k: number, n: number, m: number, tail: number): number =>
  k < 2 ? 0 : chiSquareQuantile(k - 1, tail) * (1 / n + 1 / m);

/** Merges the counts of which fewer than five are expected. */
function mergeRare(counts: readonly number[], { shares, samples }: Expected) {
  const n = Math.min(sum(counts), samples);
  const isRare = (i: number): boolean => at(shares, i) * n < minExpected;
  const places = [...counts.keys()];
  const [rare, others] = [places.filter(isRare), places.filter((i) => !isRare(i))];
  const groups = [...others.map((i) => [i]), ...(rare.length > 0 ? [rare] : [])];
  const merged = (values: readonly number[]) => groups.map((group) => sum(group.map((i) => at(values, i))));
  return { counts: merged(counts), shares: merged(shares) };
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
