/**
 * The gradient of Batch Norm in fewer passes over memory.
 *
 * The rule follows the paper: ẑ = (z − μ) / s with s = √(σ² + ε), dγ = Σ dz̃ · ẑ, dz = γ/s · (dz̃ − dβ/m − ẑ · dγ/m).
 * ẑ need not be made. Everything that multiplies a full tensor is a number for each channel:
 *
 *     dγ = (Σ dz̃ · z − μ dβ) / s
 *     dz = γ/s · dz̃ + (b z + c)     b = −γ/s · dγ / (m s)     c = −γ/s · dβ / m − b μ
 *
 * and b z + c is one pass over an image, since it is what a BatchNormalization node does with b as scale, c as B, mean 0 and
 * variance 1. Matrices take two, which is faster there than the node.
 */
import type { GraphBuilder, OpNode, Value } from '../../graph/index.ts';
import { producer } from '../match.ts';
import { replacing } from '../rewrite.ts';

export const batchNormGradient = replacing({ ReduceSum: emitScaleGradient, Mul: emitInputGradient });

interface Normalized {
  readonly z: Value;
  readonly mean: Value;
  readonly deviation: Value;
}

/** ẑ = Div(Sub(z, μ), s), with μ and s laid along the channel axis. */
function matchNormalized(g: GraphBuilder, value: Value | undefined): Normalized | undefined {
  const division = producer(g, value, 'Div');
  const centred = producer(g, division?.inputs[0], 'Sub');
  const mean = producer(g, centred?.inputs[1], 'Reshape')?.inputs[0];
  const deviation = producer(g, division?.inputs[1], 'Reshape')?.inputs[0];
  return centred && mean && deviation && { z: centred.inputs[0], mean, deviation };
}

/** Whether ẑ is normalized by the statistics of the mini-batch. */
const byMiniBatch = (g: GraphBuilder, { mean }: Normalized): boolean => !!producer(g, mean, 'BatchNormalization');

/** ReduceSum(Mul(dz̃, ẑ)), which is dγ */
export function matchScaleGradient(g: GraphBuilder, { inputs: [data] }: OpNode<'ReduceSum'>) {
  const product = producer(g, data, 'Mul');
  const normalized = matchNormalized(g, product?.inputs[1]);
  return product && normalized && { ...normalized, dOutput: product.inputs[0] };
}

function emitScaleGradient(g: GraphBuilder, node: OpNode<'ReduceSum'>): readonly Value[] | undefined {
  const match = matchScaleGradient(g, node);
  if (!match || !byMiniBatch(g, match)) return undefined;
  const { z, mean, deviation, dOutput } = match;
  const [, axes] = node.inputs;
  const dB = g.ReduceSum(dOutput, axes, node.attributes);
  const correlation = g.ReduceSum(g.Mul(dOutput, z), axes, node.attributes);
  return [g.Div(g.Sub(correlation, g.Mul(mean, dB)), deviation)];
}

/** Mul(γ/s, Sub(Sub(dz̃, dβ/m), Mul(ẑ, dγ/m))), which is dz */
export function matchInputGradient(g: GraphBuilder, { inputs: [gain, difference] }: OpNode<'Mul'>) {
  const outer = producer(g, difference, 'Sub');
  const inner = producer(g, outer?.inputs[0], 'Sub');
  const projection = producer(g, outer?.inputs[1], 'Mul');
  const normalized = matchNormalized(g, projection?.inputs[0]);
  const [A, dBetaOverM, dGammaOverM] = [gain, inner?.inputs[1], projection?.inputs[1]].map(
    (wide) => producer(g, wide, 'Reshape')?.inputs[0],
  );
  if (!inner || !normalized || !A || !dBetaOverM || !dGammaOverM) return undefined;
  return { ...normalized, dOutput: inner.inputs[0], gain, A, dBetaOverM, dGammaOverM };
}

function emitInputGradient(g: GraphBuilder, node: OpNode<'Mul'>): readonly Value[] | undefined {
  const match = matchInputGradient(g, node);
  if (!match || !byMiniBatch(g, match)) return undefined;
  const { z, mean, deviation, dOutput, gain, A, dBetaOverM, dGammaOverM } = match;
  const b = g.Neg(g.Div(g.Mul(A, dGammaOverM), deviation));
  const c = g.Neg(g.Add(g.Mul(A, dBetaOverM), g.Mul(b, mean)));
  return [g.Add(g.Mul(gain, dOutput), affine(g, z, b, c))];
}

/** b z + c per channel; with ε = 0 the statistics 0 and 1 leave nothing else. */
function affine(g: GraphBuilder, z: Value, b: Value, c: Value): Value {
  if (z.shape.length === 2) return g.Add(g.Mul(z, b), c);
  const channels = Number(b.shape[0]);
  const statistic = (name: string, value: number) =>
    g.initializer(name, { dtype: 'float32', shape: [channels], data: new Float32Array(channels).fill(value) });
  const attributes = { epsilon: 0, momentum: 0, training_mode: 0 } as const;
  return g.BatchNormalization(z, b, c, statistic('zeros', 0), statistic('ones', 1), attributes)[0];
}
