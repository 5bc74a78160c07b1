/**
 * The running average of μ and σ² that inference will normalize with:
 *
 *     running ← kept · running + fresh · batch        kept + fresh = 1
 */
import { type GraphBuilder, GraphError, known, sizeOf, type Value } from '../graph/index.ts';

/**
 * A number is ONNX's momentum, the share of the old value kept at every step (0.9). PyTorch's is the share of the new
 * one (0.1).
 * `none` is PyTorch's `momentum=None`, the plain average over all steps: at step t the old value keeps the share (t − 1) / t.
 */
export type BnMomentum = number | 'none';

/**
 * `population` averages the variance divided by m, as the ONNX operator does; `unbiased` the one divided by m − 1, as
 * PyTorch does and Ioffe and Szegedy's inference, algorithm 2, https://arxiv.org/abs/1502.03167. Training always
 * normalizes by the former.
 */
export type BnVariance = 'population' | 'unbiased';

/**
 * The shares of the old and of the new value at a step, which counts from 1.
 *
 * @param before mini-batches that the old value is the mean of already, before the first step
 */
export function statisticsShares(momentum: BnMomentum, step: number, before = 0) {
  const kept = momentum === 'none' ? (before + step - 1) / (before + step) : momentum;
  return { statistics_kept: kept, statistics_fresh: 1 - kept };
}

/**
 * σ² · m / (m − 1), for a σ² of m values for each channel.
 *
 * @param z the activations `[N, C, ..]` that σ² is the variance of
 * @throws GraphError when a channel has a single value
 */
export function unbiasedVariance(g: GraphBuilder, variance: Value, z: Value): Value {
  const m = sizeOf(z.shape) / known('channels', z.shape[1]);
  if (m < 2) throw new GraphError('expected at least 2 values for each channel to estimate a variance from, got 1');
  return g.Mul(variance, g.scalar(m / (m - 1)));
}
