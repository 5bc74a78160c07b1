/**
 * Folds Batch Norm at test time into the dense layer before it:
 *
 *     γ (W x − μ) / √(σ² + ε) + β = W' x + b'        W' = γ / √(σ² + ε) · W        b' = β − γ / √(σ² + ε) · μ
 */
import { present } from '../../../training/arrays/index.ts';
import type { Tensor } from '../../../training/graph/index.ts';
import { layersOf, type Network, type Plan } from '../../../training/network/index.ts';
import type { State } from '../../../training/trainer/index.ts';

/** Returns the network without its Batch Norm layers. */
export const withoutNorms = (network: Network): Network => ({
  ...network,
  name: `${network.name}, folded`,
  layers: network.layers.filter(({ kind }) => kind !== 'batchNorm'),
});

/** Returns the tensors of the network without its Batch Norm layers; its other layers have to be dense. */
export function foldNorms(plan: Plan, state: State): State {
  const layers = layersOf(plan);
  const folded = new Map(state);
  layers.forEach(({ name, layer }, i) => {
    const before = layers[i - 1];
    if (layer.kind !== 'batchNorm' || !before) return;
    const tensor = (suffix: string) => state.get(`${name}.${suffix}`)?.data ?? new Float32Array();
    const variance = tensor('running_var');
    const factor = Float64Array.from(
      tensor('weight'),
      (gamma, c) => gamma / Math.sqrt(present(variance[c]) + layer.epsilon),
    );
    const running = tensor('running_mean');
    const bias = Float32Array.from(tensor('bias'), (beta, c) => beta - present(factor[c]) * present(running[c]));
    const weight = state.get(`${before.name}.weight`);
    if (weight) folded.set(`${before.name}.weight`, scaleRows(weight, factor));
    folded.set(`${before.name}.bias`, { dtype: 'float32', shape: [bias.length], data: bias });
    for (const own of ['weight', 'bias', 'running_mean', 'running_var']) folded.delete(`${name}.${own}`);
  });
  return folded;
}

function scaleRows({ shape, data }: Tensor<'float32'>, factors: Float64Array): Tensor<'float32'> {
  const size = data.length / factors.length;
  return { dtype: 'float32', shape, data: data.map((w, i) => w * present(factors[Math.floor(i / size)])) };
}
