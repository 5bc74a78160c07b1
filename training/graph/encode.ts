/** Writes a graph as an ONNX file. */
import { encodeProto } from './encode-proto.ts';
import { type onnx, onnxProto } from './onnx-proto.ts';
import { dataTypes, rawBytes } from './onnx-types.ts';
import { type AttributeName, attributeTypes, type Graph, type Node, opset, type OpType } from './ops.ts';
import { readsOf } from './prune.ts';
import type { DType, TensorType, Value } from './types.ts';

/** The IR version that belongs to opset 18. */
const irVersion = 8;

/** Returns the bytes of an ONNX model. The same graph and metadata give the same bytes. */
export function encodeModel(graph: Graph, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const bytes = encodeProto({
    irVersion,
    opsetImport: [{ domain: '', version: opset }, ...ownDomains(graph).map((domain) => ({ domain, version: 1 }))],
    producerName: 'bn-edge',
    graph: encodeGraph(graph),
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
  // Under Node the bytes are a Buffer, whose slice() does not copy.
  return new Uint8Array(bytes);
}

function encodeGraph(graph: Graph): onnx.IGraphProto {
  const used = new Set([...graph.outputs, ...graph.nodes.flatMap(readsOf)].map(({ name }) => name));
  return {
    name: graph.name,
    input: graph.inputs.map(encodeValueInfo),
    output: graph.outputs.map(encodeValueInfo),
    initializer: graph.initializers.map(encodeInitializer),
    node: graph.nodes.map((node) => encodeNode(node, used)),
  };
}

function encodeNode(node: Node, used: ReadonlySet<string>): onnx.INodeProto {
  return {
    name: node.name,
    ...encodeOp(node.op),
    input: withoutTrailingBlanks(node.inputs.map((value) => value?.name ?? '')),
    output: encodeOutputs(node, used),
    attribute: Object.entries(node.attributes).map(([name, value]) => encodeAttribute(name as AttributeName, value)),
  };
}

/** Splits an op into its domain and type: `com.microsoft.nchwc.Conv` is Conv of the domain `com.microsoft.nchwc`. */
function encodeOp(op: OpType): { readonly domain: string; readonly opType: string } {
  const dot = op.lastIndexOf('.');
  return { domain: op.slice(0, Math.max(dot, 0)), opType: op.slice(dot + 1) };
}

/** Returns the domains other than ONNX's that the graph and the bodies inside it use. */
function ownDomains({ nodes }: Graph): readonly string[] {
  const domains = nodes.flatMap((node) => [
    encodeOp(node.op).domain,
    ...(node.op === 'Loop' ? ownDomains(node.attributes.body) : []),
  ]);
  return [...new Set(domains)].filter((domain) => domain !== '');
}

/**
 * Leaves out outputs that are never read, so that the runtime does not compute them (MaxPool without `Indices` is nine
 * times faster). The first output of an op is never optional, a Loop's are positional, and Batch Norm in training mode
 * must have all three.
 */
function encodeOutputs(node: Node, used: ReadonlySet<string>): string[] {
  const all = node.outputs.map(({ name }) => name);
  const positional = node.op === 'Loop' || (node.op === 'BatchNormalization' && node.attributes.training_mode === 1);
  return positional ? all : withoutTrailingBlanks(all.map((name, i) => (i === 0 || used.has(name) ? name : '')));
}

function withoutTrailingBlanks(names: readonly string[]): string[] {
  return names.slice(0, names.findLastIndex((name) => name !== '') + 1);
}

function encodeAttribute(name: AttributeName, value: unknown): onnx.IAttributeProto {
  const { AttributeType } = onnxProto.onnx.AttributeProto;
  switch (attributeTypes[name]) {
    case 'INT':
    case 'bit':
      return { name, type: AttributeType.INT, i: value as number };
    case 'INTS':
      return { name, type: AttributeType.INTS, ints: [...(value as readonly number[])] };
    case 'FLOAT':
      return { name, type: AttributeType.FLOAT, f: value as number };
    case 'FLOATS':
      return { name, type: AttributeType.FLOATS, floats: [...(value as readonly number[])] };
    case 'STRING':
      return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value as string) };
    case 'GRAPH':
      return { name, type: AttributeType.GRAPH, g: encodeGraph(value as Graph) };
    case 'dtype':
      return { name, type: AttributeType.INT, i: dataTypes[value as DType] };
  }
}

function encodeInitializer({ name, constant }: Value): onnx.ITensorProto {
  if (!constant) throw new Error(`internal: initializer ${name} has no data`);
  return { name, dataType: dataTypes[constant.dtype], dims: [...constant.shape], rawData: rawBytes(constant) };
}

function encodeValueInfo({ name, dtype, shape }: TensorType & { readonly name: string }): onnx.IValueInfoProto {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: dataTypes[dtype], shape: { dim } } } };
}
