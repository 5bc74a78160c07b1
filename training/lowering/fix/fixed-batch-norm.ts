/**
 * Batch Norm with fixed statistics in elementary ops, for the compiler:
 *
 *     BatchNormalization(x, scale, B, μ, σ²)     becomes     y = (x − μ) · scale / √(σ² + ε) + B
 */
import type { Value } from '../../graph/index.ts';
import { replacing } from '../rewrite.ts';

export const fixedBatchNorm = replacing({
  BatchNormalization: (g, { inputs: [X, scale, B, mean, variance], attributes: { epsilon, training_mode } }) => {
    if (training_mode === 1) return undefined;
    const wide = (perChannel: Value) => g.Reshape(perChannel, g.ints([-1, ...X.shape.slice(2).map(() => 1)]));
    const gain = g.Div(scale, g.Sqrt(g.Add(variance, g.scalar(epsilon))));
    return [g.Add(g.Mul(g.Sub(X, wide(mean)), wide(gain)), wide(B)), mean, variance];
  },
});
