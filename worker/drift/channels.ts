/**
 * How far what goes into a Batch Norm layer is from the layer's running statistics, channel by channel.
 *
 * Of a window of n samples, with mᵢ the mean of sample i over its places and qᵢ that of the squares:
 *
 *     M = Σ mᵢ / n        S² = Σ qᵢ / n − M²        B² = (Σ mᵢ² − n M²) / (n − 1)
 *
 *     mean shift  d = (M − μ) / √(σ² + ε)        log variance ratio  v = ln((S² + ε) / (σ² + ε))
 *
 * Places of one sample are much alike, so that n counts samples: the variance of M is B²/n.
 */
import type { BatchNormLayer } from '../image.ts';
import type { ChannelSums } from './window.ts';

/** A difference, and from which one on it is drift. */
export interface Compared {
  readonly value: number;
  readonly threshold: number;
}

export interface ChannelDrift {
  readonly channel: number;
  /** In running standard deviations. */
  readonly meanShift: Compared;
  readonly logVarianceRatio: Compared;
}

/** What a window may differ from the training without being called drifted: samples that nobody trained on differ a little. */
export const allowed = {
  /** Running standard deviations. */
  meanShift: 0.1,
  /** ln 1.5 */
  logVarianceRatio: Math.log(1.5),
} as const;

/** Samples of a mini-batch, where nobody says how many there were. */
const usualBatch = 32;

/**
 * How many independent samples running statistics are worth. An exponential average that keeps the share m of its value has the variance
 * of one over (1 + m)/(1 − m) mini-batches.
 */
export function samplesBehind(momentum: number): number {
  const kept = momentum >= 0 && momentum < 1 ? momentum : 0.9;
  return (usualBatch * (1 + kept)) / (1 - kept);
}

/**
 * The fourth moment that the squares are supposed to have, E(x − μ)⁴/σ⁴, where that of a normal distribution is 3: the sums do not tell it.
 * Inputs of layers behind a ReLU have long tails.
 */
const kurtosis = 9;

/** Of running variances: squares of single precision do not tell less from nothing, and the logarithm of nothing is no number. */
const leastVariance = 2 ** -46;

/** What a window of so many samples is compared with. */
export interface Comparison {
  readonly samples: number;
  /** How many the network was trained on; Infinity where nobody says it. */
  readonly trained: number;
  /** How many standard errors away what is compared may be. */
  readonly z: number;
}

export function driftOfChannels(
  layer: BatchNormLayer,
  sums: ChannelSums,
  comparison: Comparison,
): readonly ChannelDrift[] {
  const { samples, trained, z } = comparison;
  const { epsilon, runningMean, runningVar } = layer;
  const error = Math.sqrt(1 / samples + 1 / Math.min(samplesBehind(layer.momentum), trained));
  return runningMean.map((mu, channel) => {
    const reference = (runningVar[channel] ?? NaN) + epsilon;
    const mean = (sums.mean[channel] ?? NaN) / samples;
    const spread = Math.max((sums.square[channel] ?? NaN) / samples - mean ** 2, 0);
    const variance = Math.max(spread + epsilon, leastVariance * reference);
    const between = Math.max((sums.meanSquare[channel] ?? NaN) - samples * mean ** 2, 0) / (samples - 1);
    // A channel that happened to rest in this window moves no less than in training.
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
