/** Summarizes arrays for the reports: histograms, norms and probabilities. */
import { present } from '../../../../training/arrays/index.ts';
import type { Histogram } from './messages.ts';

const bins = 32;

export function histogramOf(values: Float32Array): Histogram {
  let minimum = Infinity;
  let maximum = -Infinity;
  for (const value of values) {
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  const counts = new Array<number>(bins).fill(0);
  const width = (maximum - minimum) / bins;
  for (const value of values) {
    const bin = width > 0 ? Math.min(Math.floor((value - minimum) / width), bins - 1) : 0;
    counts[bin] = present(counts[bin]) + 1;
  }
  return { minimum, maximum, counts };
}

/** Returns √ Σ v². */
export function norm(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

/** Returns the softmax of a row of logits. */
export function probabilitiesOf(logits: Float32Array, row: number, classes: number): Float32Array {
  const own = logits.subarray(row * classes, (row + 1) * classes);
  const max = own.reduce((largest, value) => Math.max(largest, value), -Infinity);
  const powers = own.map((value) => Math.exp(value - max));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}

/** Returns the second class's softmax in a row of logits of two classes. */
export function probabilityOfB(logits: Float32Array, row: number): number {
  return 1 / (1 + Math.exp(present(logits[2 * row]) - present(logits[2 * row + 1])));
}
