/**
 * What quantiles of the training set say of its numbers: a median and a spread that no outlier moves, and the edges of bins.
 */
import { elementCount } from '../files/index.ts';
import type { Samples } from './dataset.ts';
import { inputStatistics } from './statistics.ts';

export interface RobustStatistics {
  readonly median: Float64Array;
  /** The interquartile range; half the whole range where that is 0; 0 for an input that never changes. */
  readonly range: Float64Array;
}

/** Below it a range is none: float32 could not divide by it. */
const leastRange = 2 ** -120;

/** Of each feature, without the values that are missing. */
export function robustStatistics(samples: Samples): RobustStatistics {
  const { deviation } = inputStatistics(samples, 'feature');
  const features = Array.from(deviation, (sigma, feature) => {
    const sorted = sortedValues(samples, feature);
    const [lowest = 0, low, median, high, highest = 0] = evenQuantiles(sorted, 4);
    const [quartiles, half] = [(high ?? 0) - (low ?? 0), (highest - lowest) / 2];
    const range = quartiles >= leastRange ? quartiles : half >= leastRange ? half : 0;
    return { median: median ?? 0, range: sigma === 0 ? 0 : range };
  });
  return {
    median: Float64Array.from(features, ({ median }) => median),
    range: Float64Array.from(features, ({ range }) => range),
  };
}

/** How many bins all numbers of a row get together, about. */
const mostBins = 384;
/** Fewer would say little of a number, however many numbers there are. */
const leastBins = 4;

/**
 * The edges of at most `bins` bins for each feature, rising, as float32 holds them: half are even quantiles of the samples, half are
 * even quantiles of the distinct values, so that bins remain where one value is most of the samples. What never changes has none.
 *
 * @param isNumber whether a feature is one: the others get no edges
 */
export function binEdges(
  samples: Samples,
  bins: number,
  isNumber: (feature: number) => boolean,
): readonly (readonly number[])[] {
  const { deviation } = inputStatistics(samples, 'feature');
  const changes = Array.from(deviation, (sigma, feature) => sigma > 0 && isNumber(feature));
  const numbers = changes.filter(Boolean).length;
  const each = Math.min(bins, Math.max(leastBins, Math.floor(mostBins / Math.max(numbers, 1))));
  return changes.map((cut, feature) => (cut ? mixedEdges(sortedValues(samples, feature), each) : []));
}

function mixedEdges(sorted: Float32Array, bins: number): readonly number[] {
  const half = Math.max(1, Math.floor(bins / 2));
  const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  const all = [...evenQuantiles(sorted, half), ...evenQuantiles(distinct, half)].map(Math.fround).sort((a, b) => a - b);
  const edges: number[] = [];
  for (const edge of all) if (edges.length === 0 || edge - (edges.at(-1) ?? NaN) >= leastRange) edges.push(edge);
  return edges;
}

/** The least value, `parts` − 1 between, and the greatest, between neighbours in proportion; none of no values. */
function evenQuantiles(sorted: Float32Array, parts: number): readonly number[] {
  if (sorted.length === 0) return [];
  return Array.from({ length: parts + 1 }, (_, i) => {
    const at = ((sorted.length - 1) * i) / parts;
    const below = sorted[Math.floor(at)] ?? NaN;
    return below + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] ?? NaN) - below);
  });
}

function sortedValues({ inputs, inputShape, count }: Samples, feature: number): Float32Array {
  const size = elementCount(inputShape);
  const values = Float32Array.from({ length: count }, (_, sample) => inputs[sample * size + feature] ?? NaN);
  return values.filter((value) => !Number.isNaN(value)).sort();
}
