/**
 * A network worked out layer by layer: names, shapes, tensors. What the summary shows, initialization fills and the
 * forward pass emits.
 */
import { formatShape, GraphError, located } from '../graph/index.ts';
import { type Layer, type LayerKind, type LayerOf, type Network } from './layer.ts';
import type { LayerRule, TensorSpec } from './rule.ts';
import { layerRules } from './rules/index.ts';

export interface PlannedLayer {
  /** Kind and number within its chain: `conv1`, `bn1`, `fc2`. */
  readonly label: string;
  /** The labels of the layers around it and its own: `block1.conv1`. */
  readonly name: string;
  readonly layer: Layer;
  /** Of one sample. */
  readonly outputShape: readonly number[];
  /** Its own, under their full names, `conv1.weight`. */
  readonly tensors: readonly TensorSpec[];
  /** The layers inside. */
  readonly chains: Readonly<Record<string, readonly PlannedLayer[]>>;
}

export interface Plan {
  readonly network: Network;
  /** The training set's μ and σ², stored with the network. */
  readonly input: readonly [mean: TensorSpec, variance: TensorSpec];
  readonly layers: readonly PlannedLayer[];
}

const prefixes: { readonly [K in LayerKind]: string } = {
  dense: 'fc',
  conv2d: 'conv',
  batchNorm: 'bn',
  layerNorm: 'ln',
  relu: 'relu',
  leakyRelu: 'leaky_relu',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
  gelu: 'gelu',
  softmax: 'softmax',
  maxPool: 'pool',
  averagePool: 'avg_pool',
  globalAveragePool: 'global_pool',
  flatten: 'flatten',
  dropout: 'dropout',
  residual: 'block',
};

/** @throws GraphError naming the network, the layer and the shape that does not fit */
export function planNetwork(network: Network): Plan {
  const layers = located(network.name, () => planChain(network.layers, '', network.inputShape));
  return { network, input: planInput(network), layers };
}

/** Every layer, those inside a layer before it. */
export const layersOf = ({ layers }: Pick<Plan, 'layers'>): readonly PlannedLayer[] =>
  layers.flatMap((planned) => [
    ...Object.values(planned.chains).flatMap((chain) => layersOf({ layers: chain })),
    planned,
  ]);

/** Every tensor of the layers: what training changes. */
export const layerTensorsOf = (plan: Plan): readonly TensorSpec[] => layersOf(plan).flatMap(({ tensors }) => tensors);

/** Every tensor of the network, the input's statistics first. */
export const tensorsOf = (plan: Plan): readonly TensorSpec[] => [...plan.input, ...layerTensorsOf(plan)];

export const outputShapeOf = ({ network, layers }: Plan): readonly number[] => shapeAfter(layers, network.inputShape);

export const ruleOf = (layer: Layer): LayerRule<LayerKind> => layerRules[layer.kind] as unknown as LayerRule<LayerKind>;

function shapeAfter(layers: readonly PlannedLayer[], inputShape: readonly number[]): readonly number[] {
  return layers.at(-1)?.outputShape ?? inputShape;
}

/** @param prefix of the names, empty or ending in a dot */
function planChain(layers: readonly Layer[], prefix: string, inputShape: readonly number[]): readonly PlannedLayer[] {
  const counts = new Map<LayerKind, number>();
  const planned: PlannedLayer[] = [];
  layers.forEach((layer, i) => {
    const count = (counts.get(layer.kind) ?? 0) + 1;
    counts.set(layer.kind, count);
    const label = `${prefixes[layer.kind]}${count}`;
    // Batch Norm subtracts the mean, and with it any bias added right before.
    const bias = layers[i + 1]?.kind !== 'batchNorm';
    planned.push(planLayer(layer, label, `${prefix}${label}`, shapeAfter(planned, inputShape), bias));
  });
  return planned;
}

function planLayer(
  layer: Layer,
  label: string,
  name: string,
  inputShape: readonly number[],
  bias: boolean,
): PlannedLayer {
  const rule = ruleOf(layer);
  const planInside = ([chain, layers]: [string, readonly Layer[]]) =>
    [chain, planChain(layers, chain === 'layers' ? `${name}.` : `${name}.${chain}.`, inputShape)] as const;
  const chains = Object.entries(rule.chains?.(layer) ?? {}).map(planInside);
  const chainShapes = Object.fromEntries(chains.map(([chain, inside]) => [chain, shapeAfter(inside, inputShape)]));
  return located(name, () => ({
    label,
    name,
    layer,
    outputShape: rule.outputShape(layer, inputShape, chainShapes),
    tensors: rule
      .tensors(layer as LayerOf<LayerKind>, inputShape, bias)
      .map((spec) => ({ ...spec, name: `${name}.${spec.name}` })),
    chains: Object.fromEntries(chains),
  }));
}

function planInput({ name, inputShape, inputNormalization }: Network): Plan['input'] {
  const [channels, ...spatial] = inputShape;
  if (channels === undefined) throw new GraphError(`${name}: expected an input shape, got ${formatShape(inputShape)}`);
  const shape = inputNormalization === 'feature' ? inputShape : [channels, ...spatial.map(() => 1)];
  return [
    { name: 'input.mean', shape, role: { kind: 'mean' } },
    { name: 'input.var', shape, role: { kind: 'variance' } },
  ];
}
