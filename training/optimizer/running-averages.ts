/**
 * Running averages: of the μ and σ² that inference normalizes with, and of the weights.
 *
 *     average ← kept · average + fresh · value        kept + fresh = 1
 */
import { type GraphBuilder, GraphError, known, sizeOf, type Value } from '../graph/index.ts';

/**
 * The momentum of the running statistics. A number is ONNX's momentum, the share of the old value kept at every step
 * (0.9); PyTorch's momentum is the share of the new value (0.1). `none` is PyTorch's `momentum=None`, the plain average
 * over all steps: at step t the old value keeps the share (t − 1) / t.
 */
export type BnMomentum = number | 'none';

/**
 * The variance of a mini-batch that the running variance averages. `population` divides the sum of squares by m, as the
 * ONNX operator does. `unbiased` divides it by m − 1, as PyTorch does, and the inference of Ioffe and Szegedy
 * (algorithm 2, https://arxiv.org/abs/1502.03167). Training itself always normalizes with `population`.
 */
export type BnVariance = 'population' | 'unbiased';

/**
 * Returns the shares of the old and of the new value at a step, which counts from 1.
 *
 * @param before the number of mini-batches that the old value already averages before the first step
 */
export function statisticsShares(momentum: BnMomentum, step: number, before = 0) {
  const kept = momentum === 'none' ? (before + step - 1) / (before + step) : momentum;
  return { statistics_kept: kept, statistics_fresh: 1 - kept };
}

/**
 * Emits σ² · m / (m − 1), for the σ² of m values in each channel.
 *
 * @param z the activations `[N, C, ..]` that σ² is the variance of
 * @throws GraphError when a channel has a single value
 */
export function unbiasedVariance(g: GraphBuilder, variance: Value, z: Value): Value {
  const m = sizeOf(z.shape) / known('channels', z.shape[1]);
  if (m < 2) throw new GraphError('expected at least 2 values for each channel to estimate a variance from, got 1');
  return g.Mul(variance, g.scalar(m / (m - 1)));
}

/**
 * Returns the shares of the old average of the weights and of the new weights at a step, which counts from 1. The
 * average is evaluated and saved in place of the weights. The running statistics are averaged in the same way, so that
 * they fit.
 *
 *     θ̄ ← d θ̄ + (1 − d) θ        d = min(decay, (1 + t) / (10 + t))
 *
 * θ̄ starts at the initial weights. The smaller d of the first steps forgets them quickly, as in TensorFlow's
 * ExponentialMovingAverage, https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage
 */
export function averageShares(decay: number, step: number) {
  const kept = Math.min(decay, (1 + step) / (10 + step));
  return { average_kept: kept, average_fresh: 1 - kept };
}

/** Emits average ← kept · average + fresh · value, with shares that add up to 1. */
export function emitAverage(g: GraphBuilder, average: Value, value: Value, kept: Value, fresh: Value): Value {
  return g.Add(g.Mul(average, kept), g.Mul(value, fresh));
}
