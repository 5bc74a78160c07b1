/**
 * Makes a network with a switch at every Batch Norm layer from an ONNX file, whatever wrote that file.
 *
 * The file that is served answers with running statistics, and ONNX Runtime folds its Batch Norm into the layers
 * before, so that nothing is left to look at. The switchable network keeps every layer: each one normalizes both ways,
 * with `training_mode` 1 (the mini-batch's μ, σ²) and 0 (the running ones), and one boolean input chooses which result
 * goes on to the next layer. The input of each layer (z) is an output. Both ways share the weights, so that the network
 * costs one more session and not two.
 */
import { encodeGraphProto, type onnx, onnxProto } from '../../training/graph/index.ts';
import type { BatchNormLayer } from '../../worker/image.ts';
import { type BatchNorm, trainingModeOpset } from './find-batch-norm.ts';
import { constantsOf } from './constants.ts';
import { dependents, sourcesOf } from './dependents.ts';
import { changeNodes } from './change-graph.ts';
import { opsetOf } from './onnx-file.ts';
import { sampleRanks } from './sample-axis.ts';
import type { Pieces } from './splice.ts';

const { AttributeProto, TensorProto } = onnxProto.onnx;
const { INT, FLOAT } = AttributeProto.AttributeType;
const DataType: Readonly<Record<'FLOAT' | 'DOUBLE' | 'BOOL', number>> = TensorProto.DataType;

/**
 * Names the input that chooses: true for the statistics of the mini-batch. It is not a C identifier, as names in ONNX
 * files should be, so that it collides with none of them.
 */
export const switchName = 'bn-edge/batch_statistics';

/**
 * @param bytes what `model` was decoded from
 * @throws GraphError if the file has several graphs, or messages that do not end where they say
 */
export function switchable(
  bytes: Uint8Array,
  { graph }: onnx.IModelProto,
  layers: readonly BatchNormLayer[],
): Uint8Array {
  const additions = encodeGraphProto(switchPorts(graph ?? {}, layers));
  return changeNodes(bytes, graph ?? {}, switches(layers), additions);
}

/** Says why the network cannot have a correct switch; undefined if it can. */
export function whyNotSwitchable(
  model: onnx.IModelProto,
  { layers, ofBatch, undescribed }: BatchNorm,
): string | undefined {
  const { graph } = model;
  const [ofSamples] = ofBatch;
  if (ofSamples) return `${ofSamples.name} normalizes with the mini-batch's own statistics (${ofSamples.why})`;
  const [unknown] = undescribed;
  if (unknown) return `${unknown.name} cannot be described: ${unknown.why}`;
  if (layers.length === 0) return whyNoLayers(graph ?? {}) ?? 'it has no Batch Norm layers';
  const opset = opsetOf(model);
  if (opset < trainingModeOpset) return `it is of opset ${opset}, and the switch needs ${trainingModeOpset}`;
  return whyNoLookInside(graph ?? {}, layers);
}

/**
 * Says why a network has no Batch Norm layers: exporters fold a layer after a convolution or a dense layer into it,
 * unless an option forbids it. Undefined for a graph without convolutions and dense layers.
 */
export const whyNoLayers = ({ node }: onnx.IGraphProto): string | undefined =>
  (node ?? []).some(({ opType }) => weighted.test(opType ?? ''))
    ? 'it has no Batch Norm layers: exporters fold them into the layer before (torch.onnx.export(…, optimize=False) keeps them; Keras and timm fold, too)'
    : undefined;

const weighted = /^(Conv|ConvTranspose|Gemm|MatMul|QLinearConv|QLinearMatMul|ConvInteger|MatMulInteger|FusedConv)$/;

/**
 * Says why the network cannot be explained: that needs each layer's input split by samples, in single or double
 * precision.
 */
function whyNoLookInside(graph: onnx.IGraphProto, layers: readonly BatchNormLayer[]): string | undefined {
  const constant = constantsOf(graph);
  const inputs = new Set((graph.input ?? []).map(({ name }) => name ?? ''));
  const ranks = sampleRanks(graph, dependents(graph.node ?? [], inputs), constant);
  const unclear = layers.find(({ input }) => !ranks.has(input));
  if (unclear) return `where the samples are in what ${unclear.name} gets cannot be told`;
  if (!(graph.output ?? []).some(({ name }) => ranks.has(name ?? '')))
    return 'where the samples are in its outputs cannot be told';
  const byOutput = sourcesOf(graph.node ?? []);
  const half = layers.find(({ output }) => {
    const { dataType } = constant(byOutput.get(output)?.input?.[1] ?? '') ?? {};
    return dataType !== DataType.FLOAT && dataType !== DataType.DOUBLE;
  });
  return half && `${half.name} is in half precision`;
}

/** Returns a function that replaces the node of a layer by parts of a graph. */
function switches(layers: readonly BatchNormLayer[]): (node: onnx.INodeProto) => Pieces | undefined {
  const byOutput = new Map(layers.map((layer) => [layer.output, layer]));
  return (node) => {
    const layer = byOutput.get(node.output?.[0] ?? '');
    return layer && [encodeGraphProto({ node: switchFor(layer, node) })];
  };
}

/** z̃ = batch_statistics ? BatchNormalization(z, training_mode 1) : BatchNormalization(z, training_mode 0) */
function switchFor({ output, epsilon, momentum }: BatchNormLayer, node: onnx.INodeProto): onnx.INodeProto[] {
  const name = (suffix: string): string => `${output}/${suffix}`;
  const attribute = [
    { name: 'epsilon', type: FLOAT, f: epsilon },
    { name: 'momentum', type: FLOAT, f: momentum },
  ];
  const [z = '', scale = '', B = '', mean = '', variance = ''] = node.input ?? [];
  const batch: onnx.INodeProto = {
    ...node,
    name: name('training_mode_1'),
    input: [z, scale, B, name('mean'), name('var')],
    output: [name('batch'), name('batch_mean'), name('batch_var')],
    attribute: [...attribute, { name: 'training_mode', type: INT, i: 1 }],
  };
  const running: onnx.INodeProto = { ...node, name: name('training_mode_0'), output: [name('running')], attribute };
  return [
    ownCopy(switchName, mean, name('mean')),
    ownCopy(switchName, variance, name('var')),
    batch,
    running,
    { name: name('switch'), opType: 'Where', input: [switchName, name('batch'), name('running')], output: [output] },
  ];
}

/**
 * Copies running statistics for a node with `training_mode` 1. The runtime lets the node update them in place, even
 * stored ones, and merges equal stored tensors: with the model's own statistics, every request would change the next
 * one's answer. Values that are computed during a request are never shared like that.
 * https://github.com/microsoft/onnxruntime/issues/29790
 *
 * @param condition any boolean that is not known before a request
 */
export const ownCopy = (condition: string, from: string, to: string): onnx.INodeProto => ({
  name: to,
  opType: 'Where',
  input: [condition, from, from],
  output: [to],
});

/** Returns the input that chooses, and the inputs of all layers as outputs. */
function switchPorts(graph: onnx.IGraphProto, layers: readonly BatchNormLayer[]): onnx.IGraphProto {
  const tensorType = { elemType: DataType.BOOL, shape: { dim: [] } };
  const known = new Set(graph.output?.map(({ name }) => name));
  const unknown = layers.filter(({ input }) => !known.has(input));
  return { input: [{ name: switchName, type: { tensorType } }], output: unknown.map(({ input }) => ({ name: input })) };
}
