/**
 * Reads numbers that an ONNX file stores, or computes from stored ones by the operators that exporters leave between a
 * parameter and its use.
 */
import { at, elementCount } from '../../training/arrays/index.ts';
import { integersOf, type onnx, onnxProto } from '../../training/graph/index.ts';
import { sourcesOf } from './dependents.ts';
import { halfOf } from './halfs.ts';

export interface Constant {
  readonly dims: readonly number[];
  readonly values: ArrayLike<number>;
  /** One of ONNX's `TensorProto.DataType`. */
  readonly dataType: number;
}

/**
 * Returns a constant by its name; undefined for values that are not constant, or too large to be a layer's parameters.
 */
export type Constants = (name: string) => Constant | undefined;

/** More values than that are not the parameters of a layer. */
const MAX_VALUES = 2 ** 20;

/** Exporters leave a few operators between a parameter and its use; a chain may also run in a circle. */
const LONGEST_CHAIN = 100;

type TypeName = 'FLOAT' | 'DOUBLE' | 'FLOAT16' | 'BFLOAT16' | 'INT64' | 'INT32' | 'INT8' | 'UINT8' | 'BOOL';
const DataType: Readonly<Record<TypeName, number>> = onnxProto.onnx.TensorProto.DataType;

/** @param outer constants of the graph around this one, which it can read */
export function constantsOf(
  { node, initializer }: Pick<onnx.IGraphProto, 'node' | 'initializer'>,
  outer?: Constants,
): Constants {
  const stored = new Map((initializer ?? []).map((tensor) => [tensor.name ?? '', tensor]));
  const sources = sourcesOf(node ?? []);
  const known = new Map<string, Constant | undefined>();
  const constant = (name: string, steps: number): Constant | undefined => {
    if (known.has(name)) return known.get(name);
    const tensor = stored.get(name);
    const source = sources.get(name);
    const value = tensor ? valuesOf(tensor) : source ? computed(source, steps) : outer?.(name);
    known.set(name, value);
    return value;
  };
  const computed = (source: onnx.INodeProto, steps: number): Constant | undefined => {
    const rule = rules[source.opType ?? ''];
    if (!rule || steps >= LONGEST_CHAIN) return undefined;
    return rule(source, (i) => constant(source.input?.[i] ?? '', steps + 1));
  };
  return (name) => (name === '' ? undefined : constant(name, 0));
}

type Rule = (node: onnx.INodeProto, input: (i: number) => Constant | undefined) => Constant | undefined;

/** Keeps the values. Callers need only their order, which these operators do not change. */
const sameValues: Rule = (_node, input) => input(0);

const rules: Readonly<Record<string, Rule | undefined>> = {
  Identity: sameValues,
  Constant: (node) => constantNode(node),
  ConstantOfShape: (node, input) => filled(input(0), attributeOf(node, 'value')?.t),
  Cast: (node, input) => cast(input(0), Number(attributeOf(node, 'to')?.i ?? 0)),
  Reshape: (_node, input) => flat(input(0)),
  Squeeze: (_node, input) => flat(input(0)),
  Unsqueeze: (_node, input) => flat(input(0)),
  DequantizeLinear: (node, input) => dequantized(node, input(0), input(1), input(2)),
};

/** Drops the shape, which is not followed through a reshape. */
const flat = (constant: Constant | undefined): Constant | undefined =>
  constant && { ...constant, dims: [constant.values.length] };

function constantNode(node: onnx.INodeProto): Constant | undefined {
  const tensor = attributeOf(node, 'value')?.t;
  if (tensor) return valuesOf(tensor);
  const [one, whole] = [attributeOf(node, 'value_float'), attributeOf(node, 'value_int')];
  if (one) return { dims: [], values: [Number(one.f)], dataType: DataType.FLOAT };
  if (whole) return { dims: [], values: [Number(whole.i)], dataType: DataType.INT64 };
  const [many, wholes] = [attributeOf(node, 'value_floats')?.floats, attributeOf(node, 'value_ints')?.ints];
  if (many) return list(many, DataType.FLOAT);
  return wholes ? list(wholes.map(Number), DataType.INT64) : undefined;
}

const list = (values: readonly number[], dataType: number): Constant => ({ dims: [values.length], values, dataType });

function filled(shape: Constant | undefined, value: onnx.ITensorProto | null | undefined): Constant | undefined {
  if (!shape) return undefined;
  const dims = Array.from(shape.values);
  const length = sizeOf(dims);
  const content = value ? valuesOf(value) : { values: [0], dataType: DataType.FLOAT };
  const single = content?.values[0];
  if (!content || single === undefined || length === undefined) return undefined;
  return { dims, values: new Float64Array(length).fill(single), dataType: content.dataType };
}

const floats: ReadonlySet<number> = new Set([DataType.FLOAT, DataType.DOUBLE, DataType.FLOAT16, DataType.BFLOAT16]);

/** Casts reals to single or double precision. Other casts, which may change the values further, are not followed. */
function cast(constant: Constant | undefined, to: number): Constant | undefined {
  if (!constant || !floats.has(constant.dataType)) return undefined;
  if (to === DataType.DOUBLE) return { ...constant, dataType: to };
  return to === DataType.FLOAT ? { ...constant, values: Float32Array.from(constant.values), dataType: to } : undefined;
}

/** Computes (x − zero point) · scale of at most one dimension; the scale has one value, or one for each of x. */
function dequantized(
  node: onnx.INodeProto,
  x: Constant | undefined,
  scale: Constant | undefined,
  zeroPoint: Constant | undefined,
): Constant | undefined {
  if (!x || !scale || (node.input?.[2] && !zeroPoint) || x.dims.length > 1) return undefined;
  const count = scale.values.length;
  if (zeroPoint && zeroPoint.values.length !== count) return undefined;
  if (count !== 1 && count !== x.values.length) return undefined;
  const values = Float32Array.from(x.values, (value, i) => {
    const place = count === 1 ? 0 : i;
    return (value - (zeroPoint ? at(zeroPoint.values, place) : 0)) * at(scale.values, place);
  });
  return { dims: x.dims, values, dataType: scale.dataType };
}

/** @returns `undefined` for an element type that is not supported, and for data that are elsewhere or incomplete */
function valuesOf(tensor: onnx.ITensorProto): Constant | undefined {
  const { dataType = 0, rawData } = tensor;
  const dims = (tensor.dims ?? []).map(Number);
  const length = sizeOf(dims);
  const read = readers[dataType ?? 0];
  if (!read || length === undefined || dataType === null) return undefined;
  const values = rawData?.byteLength ? read(new Uint8Array(rawData), length) : integersIn(tensor, dataType, length);
  return values && { dims, values, dataType };
}

const sizeOf = (dims: readonly number[]): number | undefined => {
  const size = elementCount(dims);
  return size >= 0 && size <= MAX_VALUES ? size : undefined;
};

function integersIn(tensor: onnx.ITensorProto, dataType: number, length: number): ArrayLike<number> | undefined {
  if (length === 0) return [];
  const integers = integersOf(tensor, length);
  if (integers?.length !== length) return undefined;
  return dataType === DataType.FLOAT16 ? integers.map(halfOf) : integers;
}

type Reader = (bytes: Uint8Array<ArrayBuffer>, length: number) => ArrayLike<number> | undefined;

interface TypedArray<Value> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): ArrayLike<Value>;
}

const reader =
  <Value>(Values: TypedArray<Value>, toNumber?: (value: Value) => number): Reader =>
  ({ buffer, byteLength }, length) => {
    if (byteLength !== length * Values.BYTES_PER_ELEMENT) return undefined;
    const values = new Values(buffer);
    return toNumber ? Array.from(values, toNumber) : (values as ArrayLike<number>);
  };

const readers: Readonly<Record<number, Reader | undefined>> = {
  [DataType.FLOAT]: reader<number>(Float32Array),
  [DataType.DOUBLE]: reader<number>(Float64Array),
  [DataType.FLOAT16]: reader<number>(Uint16Array, halfOf),
  [DataType.BFLOAT16]: reader<number>(Uint16Array, (bits) =>
    at(new Float32Array(Uint32Array.of(bits << 16).buffer), 0),
  ),
  [DataType.INT64]: reader<bigint>(BigInt64Array, Number),
  [DataType.INT32]: reader<number>(Int32Array),
  [DataType.INT8]: reader<number>(Int8Array),
  [DataType.UINT8]: reader<number>(Uint8Array),
  [DataType.BOOL]: reader<number>(Uint8Array),
};

export const attributeOf = ({ attribute }: onnx.INodeProto, name: string): onnx.IAttributeProto | undefined =>
  attribute?.find((candidate) => candidate.name === name);
