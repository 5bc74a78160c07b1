/**
 * Reads an ONNX file that uses the project's ops. The file is not trusted: types inside the graph are inferred again,
 * and inputs and attributes are checked against each op's schema.
 */
import type { onnx } from './onnx-proto.ts';
import { elementCount } from '../arrays/index.ts';
import { oneLine } from '../files/index.ts';
import { arrays } from '../program/index.ts';
import { type Adapt, adaptWith, asItIs } from './adapt/index.ts';
import { checkGraph } from './check.ts';
import { decodeProto, integersOf } from './decode-proto.ts';
import { dtypeOf, tensorFromBytes } from './onnx-types.ts';
import { type AttributeName, attributeTypes, type Graph, type Node, type OpType } from './ops.ts';
import { opSchemas } from './schemas/index.ts';
import { expectOneOf, type OpSchema } from './schemas/schema.ts';
import { type Dim, type DType, GraphError, located, type Tensor, type TensorType, Value } from './types.ts';

export interface Model {
  readonly graph: Graph;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a model that consists of the project's ops.
 *
 * @throws GraphError, in one line, for bytes that are not an ONNX model, or for an op, type or attribute that the
 * project does not use
 */
export const decodeModel = (bytes: Uint8Array): Model => decoded(bytes, asItIs);

/**
 * Reads a model of any program, as far as it can be expressed by the project's ops (see adapt/).
 *
 * @throws GraphError as `decodeModel` does, for what cannot be expressed
 */
export const decodeAnyModel = (bytes: Uint8Array): Model => decoded(bytes, adaptWith(storedTensor));

function decoded(bytes: Uint8Array, adapt: Adapt): Model {
  try {
    return modelOf(decodeProto(bytes), adapt);
  } catch (error) {
    if (error instanceof GraphError) throw new GraphError(oneLine(error.message), { cause: error });
    if (error instanceof RangeError) throw new GraphError('expected graphs nested less deep', { cause: error });
    throw error;
  }
}

function modelOf(model: onnx.IModelProto, adapt: Adapt): Model {
  if (!model.graph) throw new GraphError('expected an ONNX model, got one without a graph');
  return {
    graph: checkGraph(decodeGraph(model.graph, new Map(), adapt)),
    metadata: Object.fromEntries((model.metadataProps ?? []).map(({ key, value }) => [key ?? '', value ?? ''])),
  };
}

function decodeGraph(proto: onnx.IGraphProto, outer: ReadonlyMap<string, Value>, adapt: Adapt = asItIs): Graph {
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
  const nodes: Node[] = [];
  const reading = {
    look: (name: string) => scope.get(name),
    store: (value: Value) => {
      initializers.push(define(value));
    },
    add: (node: onnx.INodeProto) => {
      const decoded = located(describe(node), () => decodeNode(node, scope));
      decoded.outputs.forEach(define);
      nodes.push(decoded);
    },
  };
  for (const node of proto.node ?? []) adapt(node, reading);
  const outputs = (proto.output ?? []).map(({ name }) => lookUp(name ?? '', scope));
  return { name: proto.name ?? '', inputs, initializers, nodes, outputs };
}

/** Describes a node by its name, and by its op where the name does not contain it. */
function describe(node: onnx.INodeProto): string {
  const [name, op] = [node.name ?? '', nameOf(node)];
  if (name === '') return op;
  return isOpType(op) && !name.includes(op) ? `${name} (${op})` : name;
}

function decodeNode(proto: onnx.INodeProto, scope: ReadonlyMap<string, Value>): Node {
  const op = nameOf(proto);
  if (!isOpType(op)) throw new GraphError(`op ${op} is not known`);
  const inputs = decodeInputs(proto.input ?? [], opSchemas[op], scope);
  const attributes = decodeAttributes(proto.attribute ?? [], opSchemas[op].attributes, scope);
  const types: readonly TensorType[] = opSchemas[op].infer(inputs as never, attributes as never);
  // Names an output that the file does not name. Nodes need not have names either.
  const unnamed = (i: number): string => {
    const names = [proto.name, proto.output?.[0]].flatMap((name) => (name ? [`${name}:${i}`] : []));
    return names.find((name) => !scope.has(name)) ?? `${op}:${i}`;
  };
  const outputs = types.map((type, i) => new Value(proto.output?.[i] || unnamed(i), type));
  return { op, name: proto.name ?? '', inputs, outputs, attributes } as unknown as Node;
}

/** Returns an op with its domain. `ai.onnx` is the long name of ONNX's own domain. */
const nameOf = ({ domain, opType }: onnx.INodeProto): string =>
  domain && domain !== 'ai.onnx' ? `${domain}.${opType ?? ''}` : (opType ?? '');

function decodeInputs(
  names: readonly string[],
  { inputs: [min, max] }: Pick<OpSchema<OpType>, 'inputs'>,
  scope: ReadonlyMap<string, Value>,
): readonly (Value | undefined)[] {
  const optional = (i: number) => i >= min && max !== Infinity;
  if (names.length < min || names.length > max || names.some((name, i) => name === '' && !optional(i))) {
    const wanted = max === Infinity ? `${min} or more` : min === max ? min : `${min} to ${max}`;
    throw new GraphError(`expected ${wanted} inputs, got (${names.join(', ')})`);
  }
  return names.map((name) => (name === '' ? undefined : lookUp(name, scope)));
}

/** Returns the attributes in the file, and the specification's defaults for the others. */
function decodeAttributes(
  protos: readonly onnx.IAttributeProto[],
  known: Readonly<Record<string, unknown>>,
  scope: ReadonlyMap<string, Value>,
): Readonly<Record<string, unknown>> {
  const given = Object.fromEntries(protos.map((proto) => decodeAttribute(proto, scope)));
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name)) throw new GraphError(`attribute ${name} is not known`);
  }
  const defaults = Object.entries(known).filter(([name]) => !Object.hasOwn(given, name));
  for (const [name, value] of defaults) {
    if (value === 'required') throw new GraphError(`expected attribute ${name}`);
  }
  return { ...Object.fromEntries(defaults.filter(([, value]) => value !== 'optional')), ...given };
}

function decodeAttribute(proto: onnx.IAttributeProto, scope: ReadonlyMap<string, Value>): readonly [string, unknown] {
  const name = proto.name ?? '';
  if (!isAttributeName(name)) throw new GraphError(`attribute ${name} is not known`);
  switch (attributeTypes[name]) {
    case 'INT':
      return [name, Number(proto.i)];
    case 'bit':
      expectOneOf(name, Number(proto.i), 0, 1);
      return [name, Number(proto.i)];
    case 'INTS':
      return [name, (proto.ints ?? []).map(Number)];
    case 'FLOAT':
      return [name, proto.f];
    case 'FLOATS':
      return [name, proto.floats];
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
  const tensor = storedTensor(proto);
  if (!tensor) throw new GraphError(`${name}: expected raw data as long as its shape says`);
  return new Value(name, tensor, tensor);
}

/**
 * Returns a stored tensor.
 *
 * @returns undefined where the numbers are missing, or their count differs from the shape's
 * @throws GraphError for an unknown element type or size
 */
function storedTensor(proto: onnx.ITensorProto): Tensor | undefined {
  const name = proto.name ?? '';
  const dtype = decodeDType(name, proto.dataType);
  const shape = (proto.dims ?? []).map((dim) => decodeSize(name, dim));
  const integers = integersOf(proto, elementCount(shape));
  const bytes = integers && bytesOf(dtype, integers);
  return tensorFromBytes(dtype, shape, bytes ?? proto.rawData ?? new Uint8Array());
}

/** Converts integers from a list of their own to raw data. */
function bytesOf(dtype: DType, integers: readonly number[]): Uint8Array | undefined {
  if (dtype === 'int64') return new Uint8Array(BigInt64Array.from(integers, BigInt).buffer);
  const isListed = dtype === 'int32' || dtype === 'uint8' || dtype === 'bool';
  return isListed ? new Uint8Array(arrays[dtype].from(integers).buffer) : undefined;
}

function decodeInput(proto: onnx.IValueInfoProto): Value {
  const name = proto.name ?? '';
  const type = proto.type?.tensorType;
  if (!type?.shape) throw new GraphError(`${name}: expected a tensor whose number of dimensions the file says`);
  // A size that the file leaves open without a name gets a name of its own, so that no other input shares it.
  const shape = (type.shape.dim ?? []).map(
    ({ dimParam, dimValue }, axis): Dim =>
      dimParam || (dimValue === null || dimValue === undefined ? `${name}:${axis}` : decodeSize(name, dimValue)),
  );
  return new Value(name, { dtype: decodeDType(name, type.elemType), shape });
}

function decodeSize(where: string, dim: unknown): number {
  const size = Number(dim);
  if (!Number.isSafeInteger(size) || size < 0) throw new GraphError(`${where}: expected a size, got ${String(dim)}`);
  return size;
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
