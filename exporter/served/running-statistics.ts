/**
 * Replaces the running statistics of Batch Norm layers in an ONNX file, and gives access to the values that they are
 * statistics of.
 */
import { encodeGraphProto, GraphError, type onnx, onnxProto } from '../../training/graph/index.ts';
import type { BatchNormLayer } from '../../worker/image.ts';
import { changeNodes, changeStored, replaceOutputs } from './change-graph.ts';
import { type Constant, constantsOf } from './constants.ts';
import { readsOf } from './dependents.ts';

const { AttributeProto, TensorProto } = onnxProto.onnx;
const DataType: Readonly<Record<'FLOAT' | 'DOUBLE', number>> = TensorProto.DataType;

/** A mean and a variance for each channel, `[C]`. */
export interface ChannelStatistics {
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
}

/**
 * Groups layers by the number of layers before them: the input of a layer depends only on earlier groups.
 *
 * @returns the groups, beginning with the one that gets the samples first
 */
export function levelsOf(
  { node }: onnx.IGraphProto,
  layers: readonly BatchNormLayer[],
): readonly (readonly BatchNormLayer[])[] {
  const outputs = new Set(layers.map(({ output }) => output));
  const before = new Map<string, number>();
  const levelOf = (name: string): number => before.get(name) ?? 0;
  // Nodes are in the order of computation, unless an exporter has left the order to the runtime.
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const each of node ?? []) {
      const below = readsOf(each).reduce((max, name) => Math.max(max, levelOf(name)), 0);
      for (const output of each.output ?? []) {
        const own = below + (outputs.has(output) ? 1 : 0);
        if (own === levelOf(output)) continue;
        if (own > layers.length) throw new GraphError(`expected a graph without circles, got one through ${output}`);
        before.set(output, own);
        isChanged = true;
      }
    }
  }
  const depth = layers.reduce((max, { input }) => Math.max(max, levelOf(input)), 0);
  return Array.from({ length: depth + 1 }, (_, level) => layers.filter(({ input }) => levelOf(input) === level)).filter(
    (level) => level.length > 0,
  );
}

/**
 * Returns the model with the inputs of these layers as its only outputs.
 *
 * @throws GraphError as `replaceOutputs` does
 */
export function givingInputsOf(bytes: Uint8Array, layers: readonly BatchNormLayer[]): Uint8Array {
  const names = new Set(layers.map(({ input }) => input));
  return replaceOutputs(bytes, encodeGraphProto({ output: [...names].map((name) => ({ name })) }));
}

/** Says why a layer cannot have other statistics; undefined if it can. */
export function whyFixed(graph: onnx.IGraphProto, { output }: BatchNormLayer): string | undefined {
  const constant = constantsOf(graph);
  const layer = (graph.node ?? []).find((each) => each.output?.[0] === output);
  const types = (layer?.input ?? []).slice(3, 5).map((name) => constant(name)?.dataType);
  return types.every((type) => type === DataType.FLOAT || type === DataType.DOUBLE)
    ? undefined
    : 'its statistics are in half precision';
}

/**
 * Returns the model with other running statistics in some of its layers, each stored where the former are. If the
 * former are computed, or other nodes read them too, the layer gets constants of its own.
 *
 * @param changed maps the layers' outputs to statistics
 * @throws GraphError for a file whose bytes cannot be changed
 */
export function withStatistics(
  bytes: Uint8Array,
  graph: onnx.IGraphProto,
  changed: ReadonlyMap<string, ChannelStatistics>,
): Uint8Array {
  const constant = constantsOf(graph);
  const isOwn = ownTensors(graph);
  const unused = unusedNames(graph);
  const stored = new Map<string, onnx.ITensorProto>();
  const nodes = new Map<onnx.INodeProto, readonly onnx.INodeProto[]>();
  for (const node of graph.node ?? []) {
    const [output = ''] = node.output ?? [];
    const statistics = changed.get(output);
    if (!statistics) continue;
    const input = [...(node.input ?? [])];
    const constants: onnx.INodeProto[] = [];
    for (const [i, key] of [
      [3, 'mean'],
      [4, 'variance'],
    ] as const) {
      const former = input[i] ?? '';
      const tensor = tensorOf(former, constant(former), statistics[key]);
      if (isOwn(former)) {
        stored.set(former, tensor);
        continue;
      }
      input[i] = unused(`${output}/running_${key}`);
      constants.push(constantNode({ ...tensor, name: input[i] }));
    }
    if (constants.length > 0) nodes.set(node, [...constants, { ...node, input }]);
  }
  const inPlace = changeStored(bytes, graph, ({ name }) => {
    const tensor = stored.get(name ?? '');
    return tensor && [encodeGraphProto({ initializer: [tensor] })];
  });
  return changeNodes(
    inPlace,
    graph,
    (node) => {
      const own = nodes.get(node);
      return own && [encodeGraphProto({ node: [...own] })];
    },
    new Uint8Array(),
  );
}

/** Returns a predicate for stored tensors that one input of one node reads, and nothing else. */
function ownTensors({ node, initializer, output }: onnx.IGraphProto): (name: string) => boolean {
  const stored = new Set((initializer ?? []).map(({ name }) => name ?? ''));
  const reads = new Map<string, number>();
  const count = (name: string): void => void reads.set(name, (reads.get(name) ?? 0) + 1);
  for (const each of node ?? []) readsOf(each).forEach(count);
  for (const { name } of output ?? []) count(name ?? '');
  return (name) => stored.has(name) && reads.get(name) === 1;
}

/** Returns a function that finds a name, like the wished one, that no value of the graph has. */
function unusedNames({ node, initializer, input }: onnx.IGraphProto): (wished: string) => string {
  const taken = new Set([
    ...(node ?? []).flatMap(({ output }) => output ?? []),
    ...[...(initializer ?? []), ...(input ?? [])].map(({ name }) => name ?? ''),
  ]);
  return (wished) => {
    let name = wished;
    for (let i = 2; taken.has(name); i++) name = `${wished}_${i}`;
    taken.add(name);
    return name;
  };
}

function tensorOf(name: string, former: Constant | undefined, values: ArrayLike<number>): onnx.ITensorProto {
  const dataType = former?.dataType ?? DataType.FLOAT;
  const { buffer } = dataType === DataType.DOUBLE ? Float64Array.from(values) : Float32Array.from(values);
  return { name, dims: [values.length], dataType, rawData: new Uint8Array(buffer) };
}

const constantNode = (tensor: onnx.ITensorProto): onnx.INodeProto => ({
  name: tensor.name ?? '',
  opType: 'Constant',
  output: [tensor.name ?? ''],
  attribute: [{ name: 'value', type: AttributeProto.AttributeType.TENSOR, t: tensor }],
});
