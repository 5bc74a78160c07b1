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
import { opsetOf } from './onnx-file.ts';

const { AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } = onnxProto.onnx;

/** The input that chooses: true for the statistics of the mini-batch. Its name cannot be a C identifier's. */
export const switchName = 'bn-edge/batch_statistics';

/** `training_mode` is an attribute since this version of the operator set. */
const firstOpset = 14;

/** @returns `undefined` where there is no layer to switch, or the file's operators know no `training_mode` */
export function switchable(model: onnx.ModelProto, layers: readonly BatchNormLayer[]): Uint8Array | undefined {
  const { graph } = model;
  if (layers.length === 0 || !graph || opsetOf(model) < firstOpset) return undefined;
  const switched = new Map(layers.map((layer) => [layer.output, layer]));
  const node = (graph.node ?? []).flatMap((node) => {
    const layer = switched.get(node.output?.[0] ?? '');
    return layer ? withSwitch(node, layer) : [node];
  });
  const input = [...(graph.input ?? []), switchInput()];
  const known = new Set((graph.output ?? []).map(({ name }) => name));
  const z = layers
    .filter((layer) => !known.has(layer.input))
    .map((layer) => ValueInfoProto.create({ name: layer.input }));
  const output = [...(graph.output ?? []), ...z];
  return ModelProto.encode({ ...ModelProto.toObject(model), graph: { ...graph, node, input, output } }).finish();
}

/** z̃ = batch_statistics ? BatchNormalization(z, training_mode 1) : BatchNormalization(z, training_mode 0) */
function withSwitch(node: onnx.INodeProto, { output }: BatchNormLayer): onnx.INodeProto[] {
  const name = (suffix: string): string => `${output}/${suffix}`;
  const attributes = (node.attribute ?? []).filter((attribute) => attribute.name !== 'training_mode');
  const normalize = (mode: 0 | 1, outputs: string[]): onnx.INodeProto => ({
    ...node,
    name: name(`training_mode_${mode}`),
    output: outputs,
    attribute: [
      ...attributes,
      AttributeProto.create({ name: 'training_mode', type: AttributeProto.AttributeType.INT, i: mode }),
    ],
  });
  return [
    normalize(1, [name('batch'), name('batch_mean'), name('batch_var')]),
    normalize(0, [name('running')]),
    NodeProto.create({
      name: name('switch'),
      opType: 'Where',
      input: [switchName, name('batch'), name('running')],
      output: [output],
    }),
  ];
}

function switchInput(): onnx.IValueInfoProto {
  const tensorType = { elemType: TensorProto.DataType.BOOL, shape: { dim: [] } };
  return ValueInfoProto.create({ name: switchName, type: { tensorType } });
}
