/**
 * Plans a network layer by layer: names, shapes and tensors. The summary shows the plan, initialization fills its
 * tensors, and the forward pass emits it.
 */
import { GraphError, located } from '../graph/index.ts';
import type { LayerRule, RuledKind, TensorSpec } from './rule.ts';
import { layerRules } from './rules/index.ts';
import type { Layer, LayerKind, LayerOf, Network } from './schema.ts';
import { countEncoders, isEncoder, planEncoder } from './encoders.ts';
import { encodedShape } from './row.ts';
import { planInput, planTarget, type Statistics } from './units.ts';

export interface PlannedLayer {
  /** The kind of the layer and its number within its chain: `conv1`, `bn1`, `fc2`. */
  readonly label: string;
  /** The labels of the enclosing layers and the layer's own: `block1.conv1`. */
  readonly name: string;
  readonly layer: Layer;
  /** The shape of one sample after the layer. */
  readonly outputShape: readonly number[];
  /** The layer's own tensors under their full names, such as `conv1.weight`. */
  readonly tensors: readonly TensorSpec[];
  /** The chains of layers inside. */
  readonly chains: Readonly<Record<string, readonly PlannedLayer[]>>;
}

export interface Plan {
  readonly network: Network;
  /** The training set's statistics of inputs and of targets, where the network normalizes them. */
  readonly input: Statistics | undefined;
  readonly target: Statistics | undefined;
  /** `encoders` are the layers that encode rows of a table, each with its own width; `layers` are all others. */
  readonly encoders: readonly PlannedLayer[];
  readonly layers: readonly PlannedLayer[];
}

/**
 * PyTorch's short names, which tensors in checkpoints begin with. Other kinds are written out, such as `leaky_relu`.
 */
const shortNames: { readonly [K in LayerKind]?: string } = {
  dense: 'fc',
  conv2d: 'conv',
  batchNorm: 'bn',
  layerNorm: 'ln',
  maxPool: 'pool',
  averagePool: 'avg_pool',
  globalAveragePool: 'global_pool',
  residual: 'block',
};

const labelOf = (kind: LayerKind, number: number): string =>
  `${shortNames[kind] ?? kind.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}${number}`;

/**
 * Plans a network.
 *
 * @throws GraphError naming the network, the layer and the shape that does not fit
 */
export function planNetwork(network: Network): Plan {
  const [input, target] = [planInput(network), planTarget(network)];
  const [encoders, layers] = located(network.name, () => {
    const count = countEncoders(network);
    const encoders = network.layers.slice(0, count).map((layer, i) => planFirst(layer, i, network));
    return [encoders, planChain(network.layers.slice(count), '', encodedShape(network))] as const;
  });
  requireOrder(network.name, layers);
  return { network, input, target, encoders, layers };
}

/**
 * Checks the order of layers around members and heads.
 *
 * @throws GraphError for heads that do not end the network, and for layers that would mix the members
 */
function requireOrder(name: string, layers: readonly PlannedLayer[]): void {
  const all = layersOf({ layers });
  const early = all.find((planned) => planned.layer.kind === 'heads' && planned !== layers.at(-1));
  if (early) throw new GraphError(`${name}: ${early.name}: expected heads to end the network, got layers after them`);
  const first = all.findIndex(({ layer }) => layer.kind === 'members');
  const mixing = first < 0 ? undefined : all.slice(first).find(({ layer }) => mixesMembers.has(layer.kind));
  if (mixing) throw new GraphError(`${name}: ${mixing.name}: expected no ${mixing.layer.kind} after members`);
}

/** Layers over a whole sample or its first axis, which would mix the members. */
const mixesMembers: ReadonlySet<LayerKind> = new Set(['softmax', 'layerNorm']);

/** Returns every layer; layers inside a layer come before it. */
export const layersOf = ({ encoders = [], layers }: Layers): readonly PlannedLayer[] => [
  ...encoders,
  ...layers.flatMap((planned) => [
    ...Object.values(planned.chains).flatMap((chain) => layersOf({ layers: chain })),
    planned,
  ]),
];

type Layers = Pick<Plan, 'layers'> & Partial<Pick<Plan, 'encoders'>>;

/** Returns every tensor of the layers, which training changes. */
export const layerTensorsOf = (plan: Plan): readonly TensorSpec[] => layersOf(plan).flatMap(({ tensors }) => tensors);

/** Returns the statistics of the data, which training does not change. */
export const dataTensorsOf = ({ input, target }: Plan): readonly TensorSpec[] =>
  [input, target].flatMap((statistics) => (statistics ? [statistics.center, statistics.spread] : []));

/** Returns every tensor of the network, those of the data first. */
export const tensorsOf = (plan: Plan): readonly TensorSpec[] => [...dataTensorsOf(plan), ...layerTensorsOf(plan)];

export const outputShapeOf = ({ network, layers }: Plan): readonly number[] =>
  shapeAfter(layers, encodedShape(network));

/**
 * Returns a layer with its rule.
 *
 * @throws GraphError for a layer that encodes rows, where it does not begin the network
 */
export function withRule(layer: Layer): { readonly layer: LayerOf<RuledKind>; readonly rule: LayerRule } {
  if (isEncoder(layer))
    throw new GraphError(`expected ${layer.kind} at the beginning of the network, got it elsewhere`);
  return { layer, rule: layerRules[layer.kind] as unknown as LayerRule };
}

function shapeAfter(layers: readonly PlannedLayer[], inputShape: readonly number[]): readonly number[] {
  return layers.at(-1)?.outputShape ?? inputShape;
}

function planFirst(layer: Layer, i: number, network: Network): PlannedLayer {
  if (!isEncoder(layer)) throw new Error(`internal: ${layer.kind} among the encodings`);
  const before = network.layers.slice(0, i);
  const label = labelOf(layer.kind, before.filter(({ kind }) => kind === layer.kind).length + 1);
  return { label, name: label, chains: {}, ...planEncoder(layer, label, network, before) };
}

/**
 * Plans a chain of layers.
 *
 * @param prefix of the names, empty or ending in a dot
 */
function planChain(layers: readonly Layer[], prefix: string, inputShape: readonly number[]): readonly PlannedLayer[] {
  const counts = new Map<LayerKind, number>();
  const planned: PlannedLayer[] = [];
  layers.forEach((layer, i) => {
    const count = (counts.get(layer.kind) ?? 0) + 1;
    counts.set(layer.kind, count);
    const label = labelOf(layer.kind, count);
    // Batch Norm subtracts the mean, and with it any bias added just before it, whatever the members' signs.
    const bias = layers.slice(i + 1).find(({ kind }) => kind !== 'members')?.kind !== 'batchNorm';
    planned.push(planLayer(layer, label, `${prefix}${label}`, shapeAfter(planned, inputShape), bias));
  });
  return planned;
}

function planLayer(
  described: Layer,
  label: string,
  name: string,
  inputShape: readonly number[],
  bias: boolean,
): PlannedLayer {
  const { layer, rule } = located(name, () => withRule(described));
  const planInside = ([chain, layers]: [string, readonly Layer[]]) =>
    [chain, planChain(layers, chain === 'layers' ? `${name}.` : `${name}.${chain}.`, inputShape)] as const;
  const chains = Object.entries(rule.chains?.(layer) ?? {}).map(planInside);
  const chainShapes = Object.fromEntries(chains.map(([chain, inside]) => [chain, shapeAfter(inside, inputShape)]));
  return located(name, () => ({
    label,
    name,
    layer,
    outputShape: rule.outputShape(layer, inputShape, chainShapes),
    tensors: rule.tensors(layer, inputShape, bias).map((spec) => ({ ...spec, name: `${name}.${spec.name}` })),
    chains: Object.fromEntries(chains),
  }));
}
