/** Summarizes the values of each channel: mean, variance, range and histogram. */
import { at, present } from '../../training/arrays/index.ts';
import type { AffineMap } from './batch-norm.ts';

/** Holds one value per channel, `[C]`. */
export interface Summary {
  readonly mean: readonly number[];
  /** The population variance: divided by the number of values. */
  readonly variance: readonly number[];
  readonly minimum: readonly number[];
  readonly maximum: readonly number[];
  /** `[C][bins]` counts the values in each of the equal-width bins from minimum to maximum. */
  readonly counts: readonly (readonly number[])[];
}

export interface Moments {
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

/**
 * Computes μ = Σ z / m and σ² = Σ (z − μ)² / m of each channel, over all samples and places, as `training_mode` 1 does.
 * @param values `[N, C, size]`
 */
export function momentsOf(values: ArrayLike<number>, channels: number, size: number): Moments {
  const samples = values.length / (channels * size);
  const average = (of: (value: number, channel: number) => number): number[] =>
    Array.from({ length: channels }, (_, channel) => {
      let sum = 0;
      for (let sample = 0; sample < samples; sample++) {
        const start = (sample * channels + channel) * size;
        for (let i = start; i < start + size; i++) sum += of(present(values[i]), channel);
      }
      return sum / (samples * size);
    });
  const mean = average((value) => value);
  return { mean, variance: average((value, channel) => (value - present(mean[channel])) ** 2) };
}

/** @param values `[C, size]` of one sample */
export function summarize(values: Float32Array, channels: number, size: number, bins: number): Summary {
  const rows = Array.from({ length: channels }, (_, c) => values.subarray(c * size, (c + 1) * size));
  const minimum = rows.map((row) => row.reduce((a, b) => Math.min(a, b), Infinity));
  const maximum = rows.map((row) => row.reduce((a, b) => Math.max(a, b), -Infinity));
  const counts = rows.map((row, c) => histogram(row, at(minimum, c), at(maximum, c), bins));
  return { ...momentsOf(values, channels, size), minimum, maximum, counts };
}

/** Counts the values in bins. Equal values all fall into the first bin; the maximum belongs to the last. */
function histogram(values: Float32Array, minimum: number, maximum: number, bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  const width = (maximum - minimum) / bins;
  for (const value of values) {
    const bin = width > 0 && width < Infinity ? Math.min(Math.floor((value - minimum) / width), bins - 1) : 0;
    counts[bin] = present(counts[bin]) + 1;
  }
  return counts;
}

/**
 * Computes the summary of `scale · values + shift` from that of the values. A negative scale reverses the histogram.
 */
export function mapSummary(summary: Summary, { scale, shift }: AffineMap): Summary {
  const mapped = (c: number, value: number): number => at(scale, c) * value + at(shift, c);
  const isNegative = (c: number): boolean => at(scale, c) < 0;
  const { minimum, maximum } = summary;
  return {
    mean: summary.mean.map((value, c) => mapped(c, value)),
    variance: summary.variance.map((value, c) => at(scale, c) ** 2 * value),
    minimum: minimum.map((value, c) => mapped(c, isNegative(c) ? at(maximum, c) : value)),
    maximum: maximum.map((value, c) => mapped(c, isNegative(c) ? at(minimum, c) : value)),
    counts: summary.counts.map((counts, c) => (isNegative(c) ? counts.toReversed() : counts)),
  };
}
