/**
 * Batch Norm over images, with the mini-batch's statistics, in elementwise ops and means of whole channels:
 *
 *     μ = 1/m Σ z     σ² = 1/m Σ (z − μ)²     z̃ = (z − μ) · γ / √(σ² + ε) + β
 *
 * For what computes all of a channel while it is in the cache.
 */
import type { Value } from '../../graph/index.ts';
import { replacing } from '../rewrite.ts';

export const imageBatchNorm = replacing({
  BatchNormalization: (g, { inputs: [z, scale, B], attributes }) => {
    const { epsilon, momentum, training_mode } = attributes;
    if (z.shape.length !== 4 || training_mode === 0 || momentum !== 0) return undefined;
    const wide = (perChannel: Value) => g.Reshape(perChannel, g.ints([-1, 1, 1]));
    const narrow = (statistic: Value) => g.Reshape(statistic, g.ints([-1]));
    const channels = g.ints([0, 2, 3]);
    const mean = g.ReduceMean(z, channels, { keepdims: 1 });
    const centred = g.Sub(z, mean);
    const variance = g.ReduceMean(g.Mul(centred, centred), channels, { keepdims: 1 });
    const gain = g.Div(scale, g.Sqrt(g.Add(narrow(variance), g.scalar(epsilon))));
    return [g.Add(g.Mul(centred, wide(gain)), wide(B)), narrow(mean), narrow(variance)];
  },
});
