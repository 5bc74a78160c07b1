/**
 * Measures how far the input of a Batch Norm layer is from the layer's running statistics, channel by channel.
 *
 * For a window of n samples, let mᵢ be the mean of sample i over its places and qᵢ the mean of the squares:
 *
 *     M = Σ mᵢ / n        S² = Σ qᵢ / n − M²        B² = (Σ mᵢ² − n M²) / (n − 1)
 *
 *     mean shift  d = (M − μ) / √(σ² + ε)        log variance ratio  v = ln((S² + ε) / (σ² + ε))
 *
 * The places of one sample are much alike, so n counts samples, not places: the variance of M is B²/n.
 */
import { at } from '../../training/arrays/index.ts';
import type { BatchNormLayer } from '../image.ts';
import type { ChannelSums } from './window.ts';

/** Holds a difference, and the threshold from which it counts as drift. */
export interface Compared {
  readonly value: number;
  readonly threshold: number;
}

export interface ChannelDrift {
  readonly channel: number;
  /** The shift of the mean in running standard deviations. */
  readonly meanShift: Compared;
  readonly logVarianceRatio: Compared;
}

/**
 * Limits up to which a window may differ from training without drift: samples that training has not seen always differ
 * a little.
 */
export const allowed = {
  /** The limit in running standard deviations. */
  meanShift: 0.1,
  /** ln 1.5 */
  logVarianceRatio: Math.log(1.5),
} as const;

/** The size that a mini-batch is assumed to have had, which a file does not record. */
const defaultBatchSize = 32;

/**
 * Returns how many independent samples the running statistics are worth. An exponential average that keeps the share m
 * of its old value has the variance of a plain average over (1 + m)/(1 − m) mini-batches.
 */
export function effectiveSamples(momentum: number): number {
  const kept = momentum >= 0 && momentum < 1 ? momentum : 0.9;
  return (defaultBatchSize * (1 + kept)) / (1 - kept);
}

/**
 * The fourth moment E(x − μ)⁴/σ⁴ that inputs are assumed to have, since the sums do not contain it. A normal distribution
 * has 3; inputs of layers after a ReLU have long tails.
 */
const kurtosis = 9;

/**
 * The smallest variance, as a share of the running one. Squares in single precision do not distinguish smaller ones from zero,
 * whose logarithm is infinite.
 */
const minVariance = 2 ** -46;

/** Holds what a window of `samples` samples is compared with. */
export interface Comparison {
  readonly samples: number;
  /** Counts the samples that the network was trained on; Infinity when unknown. */
  readonly trained: number;
  /** The number of standard errors by which a difference may exceed its limit. */
  readonly z: number;
}

export function driftOfChannels(
  layer: BatchNormLayer,
  sums: ChannelSums,
  comparison: Comparison,
): readonly ChannelDrift[] {
  const { samples, trained, z } = comparison;
  const { epsilon, runningMean, runningVar } = layer;
  const error = Math.sqrt(1 / samples + 1 / Math.min(effectiveSamples(layer.momentum), trained));
  return runningMean.map((mu, channel) => {
    const reference = at(runningVar, channel) + epsilon;
    const mean = at(sums.mean, channel) / samples;
    const spread = Math.max(at(sums.square, channel) / samples - mean ** 2, 0);
    const variance = Math.max(spread + epsilon, minVariance * reference);
    const between = Math.max(at(sums.meanSquare, channel) - samples * mean ** 2, 0) / (samples - 1);
    // A channel that happens to vary less in this window is taken to vary as much as in training.
    const deviation = Math.sqrt((between / reference) * Math.max(1, reference / variance));
    return {
      channel,
      meanShift: {
        value: (mean - mu) / Math.sqrt(reference),
        threshold: allowed.meanShift + z * deviation * error,
      },
      logVarianceRatio: {
        value: Math.log(variance / reference),
        threshold: allowed.logVarianceRatio + z * Math.sqrt(kurtosis - 1) * error,
      },
    };
  });
}
