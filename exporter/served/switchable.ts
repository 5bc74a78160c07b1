/**
 * A network with a switch at every Batch Norm layer, made from an ONNX file without knowing how it was made.
 *
 * The file that is served answers with running statistics, and ONNX Runtime folds its Batch Norm into the layers before,
 * so there is nothing left to look at. The switchable network keeps every layer: each one normalizes both ways, with
 * `training_mode` 1 (the mini-batch's μ, σ²) and 0 (the running ones), and one boolean input chooses which goes on to the
 * next layer. What goes into each layer (z) is an output. Both ways share the weights, so it costs one more session and
 * not two.
 */
import { GraphError, type onnx, onnxProto } from '../../training/graph/index.ts';
import type { BatchNormLayer } from '../../worker/image.ts';
import { constantsOf, opsetOf } from './onnx-file.ts';
import { fieldOf, type Pieces, splice } from './splice.ts';

const { AttributeProto, GraphProto, TensorProto } = onnxProto.onnx;
const { INT, FLOAT } = AttributeProto.AttributeType;
const DataType: Readonly<Record<'FLOAT' | 'BOOL', number>> = TensorProto.DataType;

/** The input that chooses: true for the statistics of the mini-batch. Its name cannot be a C identifier's. */
export const switchName = 'bn-edge/batch_statistics';

/** `training_mode` is an attribute since this version of the operator set. */
const firstOpset = 14;

/** Fields of a model and of a graph: https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto */
const fields = { graph: 7, node: 1 } as const;

/**
 * @param bytes what `model` was decoded from
 * @returns `undefined` where there is no layer to switch, or the file's operators know no `training_mode`
 * @throws GraphError where the file has several graphs, or messages that do not end where they say
 */
export function switchable(
  bytes: Uint8Array,
  model: onnx.IModelProto,
  layers: readonly BatchNormLayer[],
): Uint8Array | undefined {
  const graph = model.graph ?? {};
  if (layers.length === 0 || opsetOf(model) < firstOpset) return undefined;
  const additions = GraphProto.encode(switchPorts(graph, layers)).finish();
  const switchOf = switches(graph, layers);
  try {
    return Buffer.concat(
      splice(bytes, fields.graph, (i, begin, end) => {
        if (i > 0) throw new Error('several graphs');
        const nodes = splice(bytes.subarray(begin, end), fields.node, (i) => switchOf(graph.node?.[i] ?? {}));
        return fieldOf(fields.graph, [...nodes, additions]);
      }),
    );
  } catch (cause) {
    throw new GraphError('expected one graph, and messages that end where they say', { cause });
  }
}

/** The parts of a graph that take the place of a node, where it is a layer. */
function switches(
  graph: onnx.IGraphProto,
  layers: readonly BatchNormLayer[],
): (node: onnx.INodeProto) => Pieces | undefined {
  const byOutput = new Map(layers.map((layer) => [layer.output, layer]));
  const constant = constantsOf(graph);
  return (node) => {
    const layer = byOutput.get(node.output?.[0] ?? '');
    if (!layer) return undefined;
    const initializer = scratchFor(layer, constant(node.input?.[3] ?? '')?.dataType ?? DataType.FLOAT);
    return [GraphProto.encode({ node: switchFor(layer, node), initializer }).finish()];
  };
}

/** z̃ = batch_statistics ? BatchNormalization(z, training_mode 1) : BatchNormalization(z, training_mode 0) */
function switchFor({ output, epsilon, momentum }: BatchNormLayer, node: onnx.INodeProto): onnx.INodeProto[] {
  const name = (suffix: string): string => `${output}/${suffix}`;
  const attribute = [
    { name: 'epsilon', type: FLOAT, f: epsilon },
    { name: 'momentum', type: FLOAT, f: momentum },
  ];
  const [z = '', scale = '', B = ''] = node.input ?? [];
  const batch: onnx.INodeProto = {
    ...node,
    name: name('training_mode_1'),
    input: [z, scale, B, name('scratch_mean'), name('scratch_var')],
    output: [name('batch'), name('batch_mean'), name('batch_var')],
    attribute: [...attribute, { name: 'training_mode', type: INT, i: 1 }],
  };
  const running: onnx.INodeProto = { ...node, name: name('training_mode_0'), output: [name('running')], attribute };
  const input = [switchName, name('batch'), name('running')];
  return [batch, running, { name: name('switch'), opType: 'Where', input, output: [output] }];
}

/** The input that chooses, and what goes into each layer as outputs. */
function switchPorts(graph: onnx.IGraphProto, layers: readonly BatchNormLayer[]): onnx.IGraphProto {
  const tensorType = { elemType: DataType.BOOL, shape: { dim: [] } };
  const known = new Set(graph.output?.map(({ name }) => name));
  const unknown = layers.filter(({ input }) => !known.has(input));
  return { input: [{ name: switchName, type: { tensorType } }], output: unknown.map(({ input }) => ({ name: input })) };
}

/**
 * Running statistics of its own for the node with `training_mode` 1, which needs some but does not use them. The runtime
 * lets the node update them in place, even stored ones, and takes equal stored tensors for one: with the model's own,
 * every request would change the next one's answer. No model has these values.
 * https://github.com/microsoft/onnxruntime/issues/29790
 */
function scratchFor({ output, runningMean }: BatchNormLayer, dataType: number): onnx.ITensorProto[] {
  const Values = dataType === DataType.FLOAT ? Float32Array : Float64Array;
  const filled = (suffix: string, value: number): onnx.ITensorProto => {
    const values = new Values(runningMean.length).fill(value);
    return { name: `${output}/${suffix}`, dims: [values.length], dataType, rawData: new Uint8Array(values.buffer) };
  };
  return [filled('scratch_mean', -1 / 3), filled('scratch_var', 2 / 3)];
}
