/** Computes quantiles of the training set: a median and a spread that outliers do not move, and the edges of bins. */
import { at as elementAt, elementCount, present } from '../arrays/index.ts';
import type { Samples } from './dataset.ts';
import { inputStatistics } from './statistics.ts';

export interface RobustStatistics {
  readonly median: Float64Array;
  /** The interquartile range, or half the full range where that is 0. It is 0 for an input that never changes. */
  readonly range: Float64Array;
}

/** A smaller range counts as 0, since float32 could not divide by it. */
const minRange = 2 ** -120;

/** Returns the statistics of each feature, without missing values. */
export function robustStatistics(samples: Samples): RobustStatistics {
  const { deviation } = inputStatistics(samples, 'feature');
  const features = Array.from(deviation, (sigma, feature) => {
    const sorted = sortedValues(samples, feature);
    if (sorted.length === 0) return { median: 0, range: 0 };
    const [min, low, median, high, max] = quartilesOf(sorted);
    const [interquartile, half] = [high - low, (max - min) / 2];
    const range = interquartile >= minRange ? interquartile : half >= minRange ? half : 0;
    return { median, range: sigma === 0 ? 0 : range };
  });
  return {
    median: Float64Array.from(features, ({ median }) => median),
    range: Float64Array.from(features, ({ range }) => range),
  };
}

/** The approximate number of bins that all numbers of a row have together. */
const maxBins = 384;
/**
 * The minimum number of bins for each number, however many numbers there are: fewer would carry too little information.
 */
const minBins = 4;

/**
 * Returns the edges of at most `bins` bins for each feature, ascending, as float32 numbers. Half are even quantiles of
 * the samples, half are even quantiles of the distinct values, so that bins remain where most samples have a single
 * value. A feature that never changes has no edges.
 *
 * @param isNumber tells whether a feature is a number: the others get no edges
 */
export function binEdges(
  samples: Samples,
  bins: number,
  isNumber: (feature: number) => boolean,
): readonly (readonly number[])[] {
  const { deviation } = inputStatistics(samples, 'feature');
  const changes = Array.from(deviation, (sigma, feature) => sigma > 0 && isNumber(feature));
  const numbers = changes.filter(Boolean).length;
  const each = Math.min(bins, Math.max(minBins, Math.floor(maxBins / Math.max(numbers, 1))));
  return changes.map((cut, feature) => (cut ? mixedEdges(sortedValues(samples, feature), each) : []));
}

function mixedEdges(sorted: Float32Array, bins: number): readonly number[] {
  const half = Math.max(1, Math.floor(bins / 2));
  const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  const all = [...evenQuantiles(sorted, half), ...evenQuantiles(distinct, half)].map(Math.fround).sort((a, b) => a - b);
  const edges: number[] = [];
  for (const edge of all) {
    const last = edges.at(-1);
    if (last === undefined || edge - last >= minRange) edges.push(edge);
  }
  return edges;
}

/** Returns the minimum, the first quartile, the median, the third quartile and the maximum of at least one value. */
function quartilesOf(sorted: Float32Array): readonly [number, number, number, number, number] {
  return evenQuantiles(sorted, 4) as [number, number, number, number, number];
}

/**
 * Returns the `parts` + 1 even quantiles from the minimum to the maximum, interpolated linearly; none where there are
 * no values.
 */
function evenQuantiles(sorted: Float32Array, parts: number): readonly number[] {
  if (sorted.length === 0) return [];
  return Array.from({ length: parts + 1 }, (_, i) => {
    const at = ((sorted.length - 1) * i) / parts;
    const below = elementAt(sorted, Math.floor(at));
    return below + (at - Math.floor(at)) * (elementAt(sorted, Math.ceil(at)) - below);
  });
}

function sortedValues({ inputs, inputShape, count }: Samples, feature: number): Float32Array {
  const size = elementCount(inputShape);
  const values = Float32Array.from({ length: count }, (_, sample) => present(inputs[sample * size + feature]));
  return values.filter((value) => !Number.isNaN(value)).sort();
}
