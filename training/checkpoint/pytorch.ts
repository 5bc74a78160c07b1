/**
 * State dicts that PyTorch wrote, stored as safetensors under this project's names. What is alike and what is not:
 *
 * - Layouts are PyTorch's here too: Linear `[out, in]`, Conv2d `[out, in / groups, kH, kW]`. Nothing is transposed.
 * - `running_var` averages the unbiased variance (m − 1) in PyTorch, the population's (m) here. At inference either is
 *   just σ², so the stored one is kept; `--bn-variance unbiased` goes on training with PyTorch's.
 * - PyTorch's `momentum` 0.1 is the share of the new statistics, ONNX's 0.9 that of the old. A state dict has neither.
 * - Layers before Batch Norm have a bias in PyTorch unless one says otherwise, and none here.
 * - PyTorch's networks get their inputs normalized, ours raw ones, unless `input.mean` and `input.var` are missing.
 */
import type { Tensor } from './checkpoint.ts';
import type { Network, Plan, PlannedLayer } from '../network/index.ts';

type Tensors = ReadonlyMap<string, Tensor>;

/** The network that takes what PyTorch's took, where the state dict has no statistics of raw inputs. */
export const withInputOf = (network: Network, tensors: Tensors): Network =>
  tensors.has('input.mean') || tensors.has('input.var') ? network : { ...network, inputNormalization: 'none' };

/**
 * The same tensors without biases before Batch Norm, which is the same network: z + b − μ = z − (μ − b).
 */
export function withoutIdleBiases({ layers }: Plan, tensors: Tensors): Tensors {
  const changed = new Map(tensors);
  for (const [before, batchNorm] of chainsOf(layers).flatMap(pairsOf)) {
    const [bias, mean] = [tensors.get(`${before.name}.bias`), tensors.get(`${batchNorm.name}.running_mean`)];
    if (batchNorm.layer.kind !== 'batchNorm' || !hasNoBias(before)) continue;
    if (bias?.dtype !== 'F32' || mean?.dtype !== 'F32' || bias.data.length !== mean.data.length) continue;
    changed.delete(`${before.name}.bias`);
    const data = mean.data.map((mu, channel) => mu - (bias.data[channel] ?? 0));
    changed.set(`${batchNorm.name}.running_mean`, { ...mean, data });
  }
  return changed;
}

const hasNoBias = ({ name, tensors }: PlannedLayer): boolean => tensors.every((spec) => spec.name !== `${name}.bias`);

const pairsOf = (chain: readonly PlannedLayer[]): readonly (readonly [PlannedLayer, PlannedLayer])[] =>
  chain.slice(1).flatMap((layer, i) => (chain[i] ? [[chain[i], layer] as const] : []));

const chainsOf = (layers: readonly PlannedLayer[]): readonly (readonly PlannedLayer[])[] => [
  layers,
  ...layers.flatMap(({ chains }) => Object.values(chains).flatMap(chainsOf)),
];
