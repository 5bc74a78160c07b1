/**
 * Batch Norm with the mini-batch's statistics in elementary ops, for the compiler and for a runtime whose
 * BatchNormalization has no training mode.
 *
 *     BatchNormalization(x, scale, B, old)     becomes
 *
 *     μ = 1/m Σ x        σ² = 1/m Σ (x − μ)²        y = (x − μ) / √(σ² + ε) · scale + B
 *     running = old · momentum + batch · (1 − momentum)
 */
import type { GraphBuilder, Value } from '../../graph/index.ts';
import { replacing } from '../rewrite.ts';

export const batchNormPrimitives = replacing({
  BatchNormalization: (g, { inputs: [X, scale, B, input_mean, input_var], attributes }) => {
    const { epsilon, momentum, training_mode } = attributes;
    if (training_mode === 0) return undefined;
    const wide = (perChannel: Value) => g.Reshape(perChannel, g.ints([-1, ...X.shape.slice(2).map(() => 1)]));
    const narrow = (statistic: Value) => g.Reshape(statistic, g.ints([-1]));

    const mean = channelMean(g, X);
    const centred = g.Sub(X, mean);
    const variance = channelMean(g, g.Mul(centred, centred));
    const normalized = g.Div(centred, g.Sqrt(g.Add(variance, g.scalar(epsilon))));
    const Y = g.Add(g.Mul(normalized, wide(scale)), wide(B));
    return [Y, running(g, input_mean, narrow(mean), momentum), running(g, input_var, narrow(variance), momentum)];
  },
});

/** Averages over pixels, then over samples: `[N, C, ..] -> [1, C, 1, ..]`. Short sums lose little to rounding. */
function channelMean(g: GraphBuilder, X: Value): Value {
  const pixels = X.shape.flatMap((_, axis) => (axis >= 2 ? [axis] : []));
  const perSample = pixels.length > 0 ? g.ReduceMean(X, g.ints(pixels), { keepdims: 1 }) : X;
  return g.ReduceMean(perSample, g.ints([0]), { keepdims: 1 });
}

function running(g: GraphBuilder, old: Value, batch: Value, momentum: number): Value {
  if (momentum === 0) return batch;
  return g.Add(g.Mul(old, g.scalar(momentum)), g.Mul(batch, g.scalar(1 - momentum)));
}
