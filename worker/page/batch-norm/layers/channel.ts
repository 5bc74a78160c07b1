/** Extracts one channel of a Batch Norm layer for the chart. */
import type { Layer, Passage, Statistics, Values } from '../../api/explain.ts';

/** Counts values in bins of equal width from `minimum` to `maximum`. */
export interface Histogram {
  readonly minimum: number;
  readonly maximum: number;
  readonly counts: readonly number[];
}

/** Holds the mean and deviation that normalize a channel, and the sample's values in it before and after. */
export interface ChannelPassage {
  readonly mean: number;
  /** √(σ² + ε) */
  readonly deviation: number;
  readonly before: Histogram;
  readonly after: Histogram;
}

export interface Channel extends Readonly<Record<Statistics, ChannelPassage>> {
  readonly gamma: number;
  readonly beta: number;
}

export function channelOf(layer: Layer, index: number): Channel {
  return {
    gamma: at(layer.gamma, index),
    beta: at(layer.beta, index),
    running: passageOf(layer.running, layer.epsilon, index),
    batch: passageOf(layer.batch, layer.epsilon, index),
  };
}

function passageOf({ mean, variance, z, z_tilde }: Passage, epsilon: number, index: number): ChannelPassage {
  return {
    mean: at(mean, index),
    deviation: Math.sqrt(at(variance, index) + epsilon),
    before: histogramOf(z, index),
    after: histogramOf(z_tilde, index),
  };
}

const histogramOf = ({ minimum, maximum, counts }: Values, index: number): Histogram => ({
  minimum: at(minimum, index),
  maximum: at(maximum, index),
  counts: counts[index] ?? [],
});

const at = (values: readonly number[], index: number): number => values[index] ?? NaN;
