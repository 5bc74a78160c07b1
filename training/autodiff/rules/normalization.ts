/**
 * The gradient of Batch Norm, one rule for the whole operation, and that of Layer Norm.
 *
 * Forward, per channel, over the m = N · H · W values of a mini-batch (`training_mode` 1):
 *
 *     μ = 1/m Σ z        σ² = 1/m Σ (z − μ)²        ẑ = (z − μ) / √(σ² + ε)        z̃ = γ ẑ + β
 *
 * Backward, from dz̃. β and γ act on each value alone:
 *
 *     dβ = Σ dz̃          dγ = Σ dz̃ · ẑ             dẑ = γ dz̃
 *
 * z acts on the loss directly, through μ and through σ². Write s = √(σ² + ε):
 *
 *     dσ² = Σ dẑ · (z − μ) · (−½) s⁻³                          = −½ s⁻² Σ dẑ · ẑ
 *     dμ  = −s⁻¹ Σ dẑ  (σ² adds nothing: Σ (z − μ) = 0)        = −s⁻¹ Σ dẑ
 *     dz  = s⁻¹ dẑ + dσ² · 2 (z − μ) / m + dμ / m
 *         = s⁻¹ (dẑ − 1/m Σ dẑ − ẑ · 1/m Σ dẑ · ẑ)
 *         = γ / √(σ² + ε) · (dz̃ − dβ / m − ẑ · dγ / m)
 *
 * So the gradient of every sample depends on its whole mini-batch. With fixed running statistics (`training_mode` 0)
 * μ and σ² are constants, the last two terms vanish, and each sample stands alone: dz = γ / √(σ² + ε) · dz̃.
 *
 * Source: Ioffe and Szegedy, Batch Normalization, section 3, https://arxiv.org/abs/1502.03167
 */
import {
  type GraphBuilder,
  GraphError,
  known,
  normalizeAxis,
  type OpNode,
  type OpType,
  sizeOf,
  type Value,
} from '../../graph/index.ts';
import type { RuleTable } from '../rule.ts';

type BatchNormalization = OpNode<'BatchNormalization'>;

/** Reshapes a statistic `[C]` to broadcast along the channel axis of `[N, C, ..]`. */
function perChannel(g: GraphBuilder, statistic: Value, { shape }: Value): Value {
  return g.Reshape(statistic, g.ints([-1, ...shape.slice(2).map(() => 1)]));
}

/** Sums over every axis except the channel's: `[N, C, ..] -> [C]`. */
function channelSum(g: GraphBuilder, value: Value): Value {
  const axes = value.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  return g.ReduceSum(value, g.ints(axes), { keepdims: 0 });
}

/** Returns the μ and σ² that the node normalized with: the mini-batch's in training, the fixed inputs in inference. */
function statisticsOf({ inputs, outputs, attributes }: BatchNormalization): { mean: Value; variance: Value } {
  const [, , , input_mean, input_var] = inputs;
  const [, running_mean, running_var] = outputs;
  if (attributes.training_mode === 0) return { mean: input_mean, variance: input_var };
  // running = running · momentum + batch · (1 − momentum) is the batch's own statistic only when nothing old is kept.
  if (attributes.momentum !== 0) throw new GraphError(`expected momentum 0 in training, got ${attributes.momentum}`);
  return { mean: running_mean, variance: running_var };
}

export const normalization = {
  BatchNormalization: (g, node, [dY]) => {
    if (!dY) throw new GraphError('expected a gradient of Y, got one of running_mean or running_var alone');
    const [X, scale] = node.inputs;
    const { mean, variance } = statisticsOf(node);
    const wide = (statistic: Value) => perChannel(g, statistic, X);

    const deviation = g.Sqrt(g.Add(variance, g.scalar(node.attributes.epsilon)));
    const normalized = g.Div(g.Sub(X, wide(mean)), wide(deviation));
    const dB = channelSum(g, dY);
    const dScale = channelSum(g, g.Mul(dY, normalized));
    const gain = wide(g.Div(scale, deviation));
    if (node.attributes.training_mode === 0) return [g.Mul(gain, dY), dScale, dB, null, null];

    const m = g.scalar(sizeOf(X.shape) / known('channels', X.shape[1]));
    const centred = g.Sub(dY, wide(g.Div(dB, m)));
    const dX = g.Mul(gain, g.Sub(centred, g.Mul(normalized, wide(g.Div(dScale, m)))));
    return [dX, dScale, dB, null, null];
  },

  // The same with the D values of one sample in place of the m values of one channel, so samples are not coupled:
  // dX = r (dX̂ − 1/D Σ dX̂ − X̂ · 1/D Σ dX̂ · X̂) with dX̂ = γ dY and r = 1 / √(σ² + ε)
  LayerNormalization: (g, { inputs: [X, Scale], outputs: [, Mean, InvStdDev], attributes: { axis } }, [dY]) => {
    if (!dY) throw new GraphError('expected a gradient of Y, got one of Mean or InvStdDev alone');
    const rank = X.shape.length;
    const at = normalizeAxis(axis, rank);
    const axes = X.shape.map((_, i) => i);
    const meanOfSample = (value: Value) => g.ReduceMean(value, g.ints(axes.slice(at)), { keepdims: 1 });
    const sumOverSamples = (value: Value) =>
      at === 0 ? value : g.ReduceSum(value, g.ints(axes.slice(0, at)), { keepdims: 0 });

    const normalized = g.Mul(g.Sub(X, Mean), InvStdDev);
    const dNormalized = g.Mul(dY, Scale);
    const centred = g.Sub(dNormalized, meanOfSample(dNormalized));
    const dX = g.Mul(InvStdDev, g.Sub(centred, g.Mul(normalized, meanOfSample(g.Mul(dNormalized, normalized)))));
    return [dX, sumOverSamples(g.Mul(dY, normalized)), sumOverSamples(dY)];
  },
} satisfies Partial<RuleTable<OpType>>;
