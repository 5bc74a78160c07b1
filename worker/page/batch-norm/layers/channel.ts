/** Extracts one channel of a Batch Norm layer for the chart. */
import { at } from '../../../../training/arrays/index.ts';
import type { Channelwise, Layer, Passage, Statistics, Values } from '../../api/explain.ts';

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
    gamma: numberAt(layer.gamma, index),
    beta: numberAt(layer.beta, index),
    running: passageOf(layer.running, layer.epsilon, index),
    batch: passageOf(layer.batch, layer.epsilon, index),
  };
}

function passageOf({ mean, variance, z, z_tilde }: Passage, epsilon: number, index: number): ChannelPassage {
  return {
    mean: numberAt(mean, index),
    deviation: Math.sqrt(numberAt(variance, index) + epsilon),
    before: histogramOf(z, index),
    after: histogramOf(z_tilde, index),
  };
}

const histogramOf = ({ minimum, maximum, counts }: Values, index: number): Histogram => ({
  minimum: numberAt(minimum, index),
  maximum: numberAt(maximum, index),
  counts: at(counts, index),
});

const numberAt = (values: Channelwise, index: number): number => at(values, index) ?? NaN;
