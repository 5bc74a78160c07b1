/**
 * The gradient of Batch Norm in fewer passes over memory. With ẑ = (z − μ) / s and s = √(σ² + ε), the rule's
 *
 *     dγ = Σ dz̃ · ẑ
 *     dz = γ/s · (dz̃ − dβ/m − ẑ · dγ/m)
 *
 * become
 *
 *     dγ = (Σ dz̃ · z − μ dβ) / s
 *     dz = γ/s · dz̃ + (b z + c)     b = −γ/s · dγ / (m s)     c = −γ/s · dβ / m − b μ
 *
 * so that ẑ is never computed, and every factor of a full tensor is a number for each channel. b z + c is one pass over
 * an image, since a BatchNormalization node computes it with b as scale, c as B, mean 0 and variance 1. Matrices take
 * two passes, which are faster there than the node.
 *
 * Gain: without it a step takes up to 1.07 times as long (`npm run bench:lowering`: 1.03 for mnist-cnn at batch 256).
 */
import { constantInts, known, type Value } from '../../graph/index.ts';
import { type Operand, patterns } from '../pattern.ts';
import { replacing, type Rewriter, rule } from '../rewrite.ts';

const { BatchNormalization, Div, Mul, ReduceSum, Reshape, Sub } = patterns;

/** Matches a number for each channel, laid along the channel axis. `wide` is the same throughout a formula. */
const perChannel = <S extends Operand>(statistic: S) => Reshape(statistic, 'wide');

/** Matches ẑ = (z − μ) / s. */
const normalizedBy = <M extends Operand>(mean: M) =>
  Div(Sub('z', perChannel(mean)), perChannel('deviation')).where(
    ({ z, wide }) => wide.constant?.data.join() === ['-1', ...z.shape.slice(2).map(() => '1')].join(),
  );

/** Matches dz̃ · ẑ, whose sum is dγ. */
const correlatedBy = <M extends Operand>(mean: M) => Mul('dOutput', normalizedBy(mean));

/** Matches dz. */
const inputGradientBy = <M extends Operand>(mean: M) =>
  Mul(
    perChannel('gain').as('wideGain'),
    Sub(Sub('dOutput', perChannel('dBetaOverM')), Mul(normalizedBy(mean), perChannel('dGammaOverM'))),
  );

/** Match the same for any mean; `pooled-conv` finds its blocks by them. */
export const [correlated, batchNormInputGradient] = [correlatedBy('mean'), inputGradientBy('mean')];

/** Matches μ where z is normalized by the statistics of its own mini-batch. */
const ofMiniBatch = BatchNormalization('z').output(1).as('statistics');

export const batchNormGradient = replacing(
  rule(
    ReduceSum(correlatedBy(ofMiniBatch), 'axes', { keepdims: 0 }).where(({ z, axes }) => areAllButChannels(axes, z)),
    (g, { z, statistics, deviation, dOutput, axes }, { attributes }) => {
      const dB = g.ReduceSum(dOutput, axes, attributes);
      const correlation = g.ReduceSum(g.Mul(dOutput, z), axes, attributes);
      return g.Div(g.Sub(correlation, g.Mul(statistics.outputs[1], dB)), deviation);
    },
  ),
  rule(inputGradientBy(ofMiniBatch), (g, found) => {
    const { z, statistics, deviation, dOutput, gain, wideGain, dBetaOverM, dGammaOverM } = found;
    const b = g.Neg(g.Div(g.Mul(gain, dGammaOverM), deviation));
    const c = g.Neg(g.Add(g.Mul(gain, dBetaOverM), g.Mul(b, statistics.outputs[1])));
    return g.Add(g.Mul(wideGain.outputs[0], dOutput), affine(g, z, b, c));
  }),
);

const areAllButChannels = (axes: Value, { shape }: Value): boolean =>
  axes.constant !== undefined &&
  constantInts('axes', axes).join() === shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])).join();

/** Emits b z + c per channel. With ε = 0, mean 0 and variance 1 the node computes nothing else. */
function affine(g: Rewriter, z: Value, b: Value, c: Value): Value {
  if (z.shape.length === 2) return g.Add(g.Mul(z, b), c);
  const channels = known('the channels', b.shape[0]);
  const statistic = (name: string, value: number) =>
    g.initializer(name, { dtype: 'float32', shape: [channels], data: new Float32Array(channels).fill(value) });
  const attributes = { epsilon: 0, momentum: 0, training_mode: 0 } as const;
  return g.BatchNormalization(z, b, c, statistic('zeros', 0), statistic('ones', 1), attributes)[0];
}
