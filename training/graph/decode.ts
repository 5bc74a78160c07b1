/** Reads an ONNX file that uses the project's ops. Types inside the graph are inferred anew, so a decoded graph is checked. */
import onnxProto, { type onnx } from 'onnx-proto';
import { dtypeOf, tensorFromBytes } from './onnx-types.ts';
import { type AttributeName, attributeTypes, type OpType } from './ops.ts';
import { opSchemas } from './schemas/index.ts';
import { type Dim, type Graph, GraphError, type Node, type TensorType, Value } from './types.ts';

export interface Model {
  readonly graph: Graph;
  readonly metadata: Readonly<Record<string, string>>;
}

/** @throws GraphError for bytes that are no ONNX model, or one with an op, type or attribute the project does not use */
export function decodeModel(bytes: Uint8Array): Model {
  const model = parse(bytes);
  if (!model.graph) throw new GraphError('expected an ONNX model, got one without a graph');
  return {
    graph: decodeGraph(model.graph, new Map()),
    metadata: Object.fromEntries((model.metadataProps ?? []).map(({ key, value }) => [key ?? '', value ?? ''])),
  };
}

function parse(bytes: Uint8Array): onnx.IModelProto {
  try {
    return onnxProto.onnx.ModelProto.decode(bytes);
  } catch (error) {
    throw new GraphError(`expected an ONNX model, got ${bytes.byteLength} bytes that are none`, { cause: error });
  }
}

function decodeGraph(proto: onnx.IGraphProto, outer: ReadonlyMap<string, Value>): Graph {
  const scope = new Map(outer);
  const define = (value: Value): Value => {
    scope.set(value.name, value);
    return value;
  };
  const initializers = (proto.initializer ?? []).map((tensor) => define(decodeInitializer(tensor)));
  const stored = new Set(initializers.map(({ name }) => name));
  const inputs = (proto.input ?? [])
    .filter(({ name }) => !stored.has(name ?? ''))
    .map((info) => define(decodeInput(info)));
  const nodes = (proto.node ?? []).map((node) => {
    const decoded = decodeNode(node, scope);
    decoded.outputs.forEach(define);
    return decoded;
  });
  const outputs = (proto.output ?? []).map(({ name }) => lookUp(name ?? '', scope));
  return { name: proto.name ?? '', inputs, initializers, nodes, outputs };
}

function decodeNode(proto: onnx.INodeProto, scope: ReadonlyMap<string, Value>): Node {
  const op = proto.opType ?? '';
  if (!isOpType(op)) throw new GraphError(`${proto.name ?? ''}: op ${op} is not known`);
  const inputs = (proto.input ?? []).map((name) => (name === '' ? undefined : lookUp(name, scope)));
  const attributes = Object.fromEntries((proto.attribute ?? []).map((attribute) => decodeAttribute(attribute, scope)));
  // The file's arity and attributes are the schema's own business: it throws on what does not fit.
  const types: readonly TensorType[] = opSchemas[op].infer(inputs as never, attributes as never);
  const outputs = types.map((type, i) => new Value(proto.output?.[i] || `${proto.name ?? op}:${i}`, type));
  return { op, name: proto.name ?? '', inputs, outputs, attributes } as unknown as Node;
}

function decodeAttribute(proto: onnx.IAttributeProto, scope: ReadonlyMap<string, Value>): readonly [string, unknown] {
  const name = proto.name ?? '';
  if (!isAttributeName(name)) throw new GraphError(`attribute ${name} is not known`);
  switch (attributeTypes[name]) {
    case 'INT':
      return [name, Number(proto.i)];
    case 'INTS':
      return [name, (proto.ints ?? []).map(Number)];
    case 'FLOAT':
      return [name, proto.f];
    case 'STRING':
      return [name, new TextDecoder().decode(proto.s ?? new Uint8Array())];
    case 'GRAPH':
      return [name, decodeGraph(proto.g ?? {}, scope)];
    case 'dtype':
      return [name, decodeDType(name, Number(proto.i))];
  }
}

function decodeInitializer(proto: onnx.ITensorProto): Value {
  const name = proto.name ?? '';
  const dtype = decodeDType(name, proto.dataType);
  const tensor = tensorFromBytes(dtype, (proto.dims ?? []).map(Number), proto.rawData ?? new Uint8Array());
  if (!tensor) throw new GraphError(`${name}: expected raw data as long as its shape says`);
  return new Value(name, tensor, tensor);
}

function decodeInput(proto: onnx.IValueInfoProto): Value {
  const name = proto.name ?? '';
  const type = proto.type?.tensorType;
  const shape = (type?.shape?.dim ?? []).map(({ dimParam, dimValue }): Dim => dimParam || Number(dimValue));
  return new Value(name, { dtype: decodeDType(name, type?.elemType), shape });
}

function decodeDType(where: string, dataType: number | null | undefined) {
  const dtype = dtypeOf(dataType);
  if (!dtype) throw new GraphError(`${where}: element type ${dataType ?? 0} is not known`);
  return dtype;
}

function lookUp(name: string, scope: ReadonlyMap<string, Value>): Value {
  const value = scope.get(name);
  if (!value) throw new GraphError(`${name} is read before it is defined`);
  return value;
}

const isOpType = (op: string): op is OpType => Object.hasOwn(opSchemas, op);
const isAttributeName = (name: string): name is AttributeName => Object.hasOwn(attributeTypes, name);
