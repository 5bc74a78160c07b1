/**
 * Mean and standard deviation of the training set, with which the exported model normalizes its raw inputs. These are
 * statistics of the data; those of activations, which Batch Norm uses, are computed inside the training graph.
 */
import { at, elementCount, present } from '../arrays/index.ts';
import type { Dataset, RegressionDataset, Samples } from './dataset.ts';

/** Statistics in float64, since a variance leaves the range of float32 long before the numbers do. */
export interface InputStatistics {
  readonly mean: Float64Array;
  /**
   * σ of the population (divided by n). It is 0 for an input that never changes, or only within the rounding of its
   * numbers.
   */
  readonly deviation: Float64Array;
}

/** The relative rounding error of float32: half the distance between 1 and the next larger float32. */
const rounding = 2 ** -24;

/**
 * Computes the statistics in one pass over the samples in float64. They are taken per feature (`[size]` results, `size`
 * the elements of a sample) or per channel, the first dimension of a sample (`[inputShape[0]]` results).
 *
 * For the n-th value x of a group (Welford, Technometrics 4(3), 1962):
 *   δ = x − μₙ₋₁,   μₙ = μₙ₋₁ + δ/n,   Mₙ = Mₙ₋₁ + δ·(x − μₙ),   σ² = Mₙ/n.
 * NaN, a missing value, is skipped.
 *
 * Unlike Σx² − (Σx)²/n this does not cancel when the mean is far larger than the deviation.
 */
export function inputStatistics(samples: Samples, per: 'feature' | 'channel'): InputStatistics {
  const { inputs, inputShape, count } = samples;
  const size = elementCount(inputShape);
  const groups = per === 'feature' ? size : at(inputShape, 0);
  const groupSize = size / groups;

  const mean = new Float64Array(groups);
  const squares = new Float64Array(groups);
  const counts = new Float64Array(groups);
  let position = 0;
  for (let sample = 0; sample < count; sample++) {
    for (let group = 0; group < groups; group++) {
      let mu = present(mean[group]);
      let m = present(squares[group]);
      let n = present(counts[group]);
      for (let i = 0; i < groupSize; i++) {
        const x = present(inputs[position++]);
        if (Number.isNaN(x)) continue;
        n++;
        const delta = x - mu;
        mu += delta / n;
        m += delta * (x - mu);
      }
      counts[group] = n;
      mean[group] = mu;
      squares[group] = m;
    }
  }
  const deviation = squares.map((m, group) => {
    const sigma = Math.sqrt(m / Math.max(1, at(counts, group)));
    return sigma <= rounding * Math.abs(at(mean, group)) ? 0 : sigma;
  });
  return { mean, deviation };
}

/** Returns the lowest and highest value of each feature or channel, without missing values. */
export function inputRanges(
  { inputs, inputShape }: Samples,
  per: 'feature' | 'channel',
): { readonly lowest: Float64Array; readonly highest: Float64Array } {
  const size = elementCount(inputShape);
  const groups = per === 'feature' ? size : at(inputShape, 0);
  const lowest = new Float64Array(groups).fill(Infinity);
  const highest = new Float64Array(groups).fill(-Infinity);
  const groupSize = size / groups;
  for (const [i, x] of inputs.entries()) {
    const group = Math.floor((i % size) / groupSize);
    if (x < present(lowest[group])) lowest[group] = x;
    if (x > present(highest[group])) highest[group] = x;
  }
  return { lowest, highest };
}

/**
 * Returns what inputs are divided by: σ. An input that never changes in training is divided by the largest float32, so
 * that other values of it have no effect later either: the weights that they would meet are still random, since
 * training could not change them.
 */
export const divisorsOf = (deviation: Float64Array): Float64Array =>
  deviation.map((sigma) => (sigma === 0 ? largestFloat32 : sigma));

const largestFloat32 = 2 ** 128 - 2 ** 104;

/**
 * Returns mean and deviation of the numbers to predict, each of one element; undefined where the targets are classes.
 */
export function targetStatistics(dataset: RegressionDataset): InputStatistics;
export function targetStatistics(dataset: Dataset): InputStatistics | undefined;
export function targetStatistics(dataset: Dataset): InputStatistics | undefined {
  if (dataset.task !== 'regression') return undefined;
  return inputStatistics({ inputs: dataset.values, inputShape: [1], count: dataset.count }, 'feature');
}
