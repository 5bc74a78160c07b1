/**
 * A network worked out layer by layer: names, shapes, tensors. What the summary shows, initialization fills and the
 * forward pass emits.
 */
import { formatShape, GraphError } from '../graph/index.ts';
import { type Layer, type LayerKind, type LayerOf, type Network } from './layer.ts';
import type { LayerRule, TensorSpec } from './rule.ts';
import { layerRules } from './rules/index.ts';

export interface PlannedLayer {
  /** Kind and number: `conv1`, `bn1`, `fc2`. */
  readonly name: string;
  readonly layer: Layer;
  /** Of one sample. */
  readonly outputShape: readonly number[];
  /** Under their full names, `conv1.weight`. */
  readonly tensors: readonly TensorSpec[];
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
  relu: 'relu',
  maxPool: 'pool',
  flatten: 'flatten',
  dropout: 'dropout',
};

/** @throws GraphError naming the network, the layer and the shape that does not fit */
export function planNetwork(network: Network): Plan {
  const counts = new Map<LayerKind, number>();
  let shape = network.inputShape;
  const layers = network.layers.map((layer, i): PlannedLayer => {
    const count = (counts.get(layer.kind) ?? 0) + 1;
    counts.set(layer.kind, count);
    const name = `${prefixes[layer.kind]}${count}`;
    // Batch Norm subtracts the mean, and with it any bias added right before.
    const bias = network.layers[i + 1]?.kind !== 'batchNorm';
    const planned = planLayer(`${network.name}: ${name}`, name, layer, shape, bias);
    shape = planned.outputShape;
    return planned;
  });
  return { network, input: planInput(network), layers };
}

/** Every tensor of the layers: what training changes. */
export const layerTensorsOf = ({ layers }: Plan): readonly TensorSpec[] => layers.flatMap(({ tensors }) => tensors);

/** Every tensor of the network, the input's statistics first. */
export const tensorsOf = (plan: Plan): readonly TensorSpec[] => [...plan.input, ...layerTensorsOf(plan)];

export const outputShapeOf = ({ network, layers }: Plan): readonly number[] =>
  layers.at(-1)?.outputShape ?? network.inputShape;

export const ruleOf = (layer: Layer): LayerRule<LayerKind> => layerRules[layer.kind] as unknown as LayerRule<LayerKind>;

function planLayer(
  where: string,
  name: string,
  layer: Layer,
  inputShape: readonly number[],
  bias: boolean,
): PlannedLayer {
  const { outputShape, tensors } = ruleOf(layer);
  try {
    return {
      name,
      layer,
      outputShape: outputShape(layer, inputShape),
      tensors: tensors(layer as LayerOf<LayerKind>, inputShape, bias).map((spec) => ({
        ...spec,
        name: `${name}.${spec.name}`,
      })),
    };
  } catch (error) {
    if (error instanceof GraphError) throw new GraphError(`${where}: ${error.message}`, { cause: error });
    throw error;
  }
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
