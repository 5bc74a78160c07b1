/**
 * Converts state dicts that PyTorch wrote, stored as safetensors, to this project's names. What is alike and what
 * differs:
 *
 * - Layouts are PyTorch's here too: Linear `[out, in]`, Conv2d `[out, in / groups, kH, kW]`. Nothing is transposed.
 * - `running_var` averages the unbiased variance (m − 1) in PyTorch, the population's (m) here. At inference either is
 *   just σ², so the stored one is kept; `--bn-variance unbiased` continues training with PyTorch's.
 * - PyTorch's `momentum` 0.1 is the share of the new statistics, ONNX's 0.9 that of the old. A state dict has neither.
 * - Layers before Batch Norm have a bias in PyTorch by default, and none here.
 * - PyTorch's networks take normalized inputs, those of this project raw ones, unless `input.mean` and `input.std` are
 *   missing.
 * - Names are the attributes of a module. Those of `nn.Sequential` are positions, and wrappers put a prefix before all
 *   names.
 */
import { at } from '../arrays/index.ts';
import { fromBfloats, fromHalves } from '../files/index.ts';
import type { Tensor } from './checkpoint.ts';
import type { Network, Plan, PlannedLayer } from '../network/index.ts';

type Tensors = ReadonlyMap<string, Tensor>;

/** Returns the network without input normalization where the state dict has no statistics of raw inputs. */
export const withInputOf = (network: Network, tensors: Tensors): Network =>
  ['mean', 'std', 'var'].some((statistic) => tensors.has(`input.${statistic}`))
    ? network
    : { ...network, inputNormalization: 'none' };

/** Returns the tensors of a state dict as float32, under the plan's names where only positions or wrappers differ. */
export function underOurNames(plan: Plan, tensors: Tensors): Tensors {
  const unwrapped = new Map([...tensors].map(([name, tensor]) => [name.replace(wrappers, ''), asFloat32(tensor)]));
  const names = byPosition(plan, [...unwrapped.keys()]);
  return new Map([...unwrapped].map(([name, tensor]) => [names.get(name) ?? name, tensor]));
}

/** Matches the prefixes that DataParallel, DistributedDataParallel and torch.compile put before every name. */
const wrappers = /^(?:module\.|_orig_mod\.)+/;

function asFloat32(tensor: Tensor): Tensor {
  const { shape, dtype } = tensor;
  if (dtype === 'F64') return { dtype: 'F32', shape, data: Float32Array.from(tensor.data) };
  if (dtype === 'F16') return { dtype: 'F32', shape, data: fromHalves(tensor.data) };
  return dtype === 'BF16' ? { dtype: 'F32', shape, data: fromBfloats(tensor.data) } : tensor;
}

/**
 * Maps the names of an `nn.Sequential` to the plan's: `0.weight` belongs to the first layer that has tensors. The map
 * is empty where names are not positions, or their number is not that of the layers with tensors.
 */
function byPosition({ layers }: Plan, names: readonly string[]): ReadonlyMap<string, string> {
  const found = names
    .filter((name) => !name.startsWith('input.'))
    .map((name) => ({ name, groups: /^(?<module>\w+\.)?(?<position>\d+)\.(?<tensor>\w+)$/.exec(name)?.groups }));
  const positions = [...new Set(found.map(({ groups }) => Number(groups?.['position'])))].sort((a, b) => a - b);
  const modules = new Set(found.map(({ groups }) => groups?.['module']));
  const owners = layers.filter(({ tensors }) => tensors.length > 0);
  if (modules.size !== 1 || positions.length !== owners.length || positions.some(Number.isNaN)) return new Map();
  return new Map(
    found.map(({ name, groups }) => {
      const owner = at(owners, positions.indexOf(Number(groups?.['position'])));
      return [name, `${owner.name}.${groups?.['tensor']}`];
    }),
  );
}

/**
 * Removes biases before Batch Norm by subtracting them from its running mean, which leaves the network the same: z + b
 * − μ = z − (μ − b).
 */
export function withoutBiasesBeforeBatchNorm({ layers }: Plan, tensors: Tensors): Tensors {
  const changed = new Map(tensors);
  for (const [before, batchNorm] of chainsOf(layers).flatMap(pairsOf)) {
    const [bias, mean] = [tensors.get(`${before.name}.bias`), tensors.get(`${batchNorm.name}.running_mean`)];
    if (batchNorm.layer.kind !== 'batchNorm' || !hasNoBias(before)) continue;
    if (bias?.dtype !== 'F32' || mean?.dtype !== 'F32' || bias.data.length !== mean.data.length) continue;
    changed.delete(`${before.name}.bias`);
    const data = mean.data.map((mu, channel) => mu - at(bias.data, channel));
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
