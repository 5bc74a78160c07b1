/**
 * An exponential moving average of the weights, which is evaluated and saved in their place. The running statistics are
 * averaged in the same way, so that they fit.
 *
 *     θ̄ ← d θ̄ + (1 − d) θ        d = min(decay, (1 + t) / (10 + t))
 *
 * θ̄ starts at the initial weights. The smaller d of the first steps forgets them quickly, as in TensorFlow's
 * ExponentialMovingAverage, https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage
 */

/** Returns the shares of the old average and of the new weights at a step, which counts from 1. */
export function averageShares(decay: number, step: number) {
  const kept = Math.min(decay, (1 + step) / (10 + step));
  return { average_kept: kept, average_fresh: 1 - kept };
}
