/**
 * A network with a switch at every Batch Norm layer, made from an ONNX file without knowing how it was made.
 *
 * The file that is served answers with running statistics, and ONNX Runtime folds its Batch Norm into the layers before,
 * so there is nothing left to look at. The switchable network keeps every layer: each one normalizes both ways, with
 * `training_mode` 1 (the mini-batch's μ, σ²) and 0 (the running ones), and one boolean input chooses which goes on to the
 * next layer. What goes into each layer (z) is an output. Both ways share the weights, so it costs one more session and
 * not two.
 */
import onnxProto, { type onnx } from 'onnx-proto';
import type { BatchNormLayer } from './batch-norm.ts';
import { constantsOf, opsetOf } from './onnx-file.ts';

const { FLOAT, DOUBLE }: Readonly<Record<'FLOAT' | 'DOUBLE', number>> = onnxProto.onnx.TensorProto.DataType;
const { AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } = onnxProto.onnx;

/** The input that chooses: true for the statistics of the mini-batch. Its name cannot be a C identifier's. */
export const switchName = 'bn-edge/batch_statistics';

/** `training_mode` is an attribute since this version of the operator set. */
const firstOpset = 14;

/** @returns `undefined` where there is no layer to switch, or the file's operators know no `training_mode` */
export function switchable(model: onnx.ModelProto, layers: readonly BatchNormLayer[]): Uint8Array | undefined {
  const { graph } = model;
  if (layers.length === 0 || !graph || opsetOf(model) < firstOpset) return undefined;
  const switches = new Map(layers.map((layer) => [layer.output, switchFor(layer, graph)]));
  const known = new Set((graph.output ?? []).map(({ name }) => name));
  const unknown = layers.filter(({ input }) => !known.has(input));
  const changed = {
    ...graph,
    node: (graph.node ?? []).flatMap((node) => switches.get(node.output?.[0] ?? '')?.(node) ?? [node]),
    initializer: [...(graph.initializer ?? []), ...layers.flatMap((layer) => Object.values(scratchOf(layer, graph)))],
    input: [...(graph.input ?? []), switchInput()],
    output: [...(graph.output ?? []), ...unknown.map(({ input }) => ValueInfoProto.create({ name: input }))],
  };
  return ModelProto.encode({ ...ModelProto.toObject(model), graph: changed }).finish();
}

/** z̃ = batch_statistics ? BatchNormalization(z, training_mode 1) : BatchNormalization(z, training_mode 0) */
function switchFor(layer: BatchNormLayer, graph: onnx.IGraphProto): (node: onnx.INodeProto) => onnx.INodeProto[] {
  const name = (suffix: string): string => `${layer.output}/${suffix}`;
  const { mean, variance } = scratchOf(layer, graph);
  return (node) => {
    const attribute = (node.attribute ?? []).filter((attribute) => attribute.name !== 'training_mode');
    const [z = '', scale = '', B = ''] = node.input ?? [];
    const batch: onnx.INodeProto = {
      ...node,
      name: name('training_mode_1'),
      input: [z, scale, B, mean.name ?? '', variance.name ?? ''],
      output: [name('batch'), name('batch_mean'), name('batch_var')],
      attribute: [
        ...attribute,
        AttributeProto.create({ name: 'training_mode', type: AttributeProto.AttributeType.INT, i: 1 }),
      ],
    };
    const running: onnx.INodeProto = { ...node, name: name('training_mode_0'), output: [name('running')], attribute };
    const input = [switchName, name('batch'), name('running')];
    return [batch, running, NodeProto.create({ name: name('switch'), opType: 'Where', input, output: [layer.output] })];
  };
}

/**
 * Running statistics of its own for the node with `training_mode` 1, which needs some but does not use them. The runtime
 * lets the node update them in place, even stored ones, and takes equal stored tensors for one: with the model's own,
 * every request would change the next one's answer. No model has these values.
 * https://github.com/microsoft/onnxruntime/issues/29790
 */
function scratchOf({ output, gamma }: BatchNormLayer, graph: onnx.IGraphProto) {
  const node = graph.node?.find((candidate) => candidate.output?.[0] === output);
  const dataType = constantsOf(graph)(node?.input?.[3] ?? '')?.dataType ?? FLOAT;
  const filled = (suffix: string, value: number): onnx.ITensorProto => {
    const values = gamma.map(() => value);
    const data = dataType === DOUBLE ? { doubleData: values } : { floatData: values };
    return { name: `${output}/${suffix}`, dims: [gamma.length], dataType, ...data };
  };
  return { mean: filled('scratch_mean', -1 / 3), variance: filled('scratch_var', 2 / 3) };
}

function switchInput(): onnx.IValueInfoProto {
  const tensorType = { elemType: TensorProto.DataType.BOOL, shape: { dim: [] } };
  return ValueInfoProto.create({ name: switchName, type: { tensorType } });
}
