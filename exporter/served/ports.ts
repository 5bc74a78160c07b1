/** Describes the inputs and outputs of an ONNX file in the words of the Open Inference Protocol. */
import { GraphError, type onnx, onnxProto } from '../../training/graph/index.ts';
import type { arrays } from '../../training/program/index.ts';

/** The protocol's datatypes that are numbers. */
export const datatypes = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
] as const;

export type Datatype = (typeof datatypes)[number];

const { DataType } = onnxProto.onnx.TensorProto;

/** Maps datatypes to ONNX's numbers for them, and to the runtime's names. */
export const elementTypes = {
  BOOL: { code: DataType.BOOL, dtype: 'bool' },
  UINT8: { code: DataType.UINT8, dtype: 'uint8' },
  UINT16: { code: DataType.UINT16, dtype: 'uint16' },
  UINT32: { code: DataType.UINT32, dtype: 'uint32' },
  UINT64: { code: DataType.UINT64, dtype: 'uint64' },
  INT8: { code: DataType.INT8, dtype: 'int8' },
  INT16: { code: DataType.INT16, dtype: 'int16' },
  INT32: { code: DataType.INT32, dtype: 'int32' },
  INT64: { code: DataType.INT64, dtype: 'int64' },
  FP16: { code: DataType.FLOAT16, dtype: 'float16' },
  FP32: { code: DataType.FLOAT, dtype: 'float32' },
  FP64: { code: DataType.DOUBLE, dtype: 'float64' },
} as const satisfies { readonly [D in Datatype]: { readonly code: number; readonly dtype: keyof typeof arrays } };

export interface Port {
  readonly name: string;
  readonly datatype: Datatype;
  /**
   * A free size is given by its name, which may be empty. `dims` is undefined if the file does not state the number of
   * dimensions.
   */
  readonly dims: readonly (number | string)[] | undefined;
}

export interface Ports {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** @throws GraphError that names the input or output that is not a tensor of numbers */
export function portsOf(graph: onnx.IGraphProto): Ports {
  const stored = new Set((graph.initializer ?? []).map(({ name }) => name));
  return {
    inputs: (graph.input ?? []).filter(({ name }) => !stored.has(name)).map(inputOf),
    outputs: (graph.output ?? []).map(portOf),
  };
}

/** @throws GraphError also for an input of size 0 */
function inputOf(value: onnx.IValueInfoProto): Port {
  const isEmpty = value.type?.tensorType?.shape?.dim?.some(
    (dim) => Object.hasOwn(dim, 'dimValue') && Number(dim.dimValue) === 0,
  );
  if (isEmpty) throw new GraphError(`${value.name ?? ''}: expected sizes of at least 1, got 0`);
  return portOf(value);
}

function portOf({ name, type }: onnx.IValueInfoProto): Port {
  const tensor = type?.tensorType;
  const datatype = datatypes.find((candidate) => elementTypes[candidate].code === tensor?.elemType);
  if (!datatype) throw new GraphError(`${name ?? ''}: expected a tensor of numbers, got ${describeType(type)}`);
  const dims = tensor?.shape?.dim?.map(
    ({ dimValue, dimParam }) => Math.max(0, Number(dimValue ?? 0)) || (dimParam ?? ''),
  );
  return { name: name ?? '', datatype, dims };
}

function describeType(type: onnx.ITypeProto | null | undefined): string {
  if (type?.tensorType?.elemType === DataType.STRING) return 'texts: bn-edge add <file> makes a table of named columns';
  if (type?.tensorType) return `a tensor of ${DataType[type.tensorType.elemType ?? 0] ?? 'unknown type'}`;
  // scikit-learn's classifiers answer with a list of dictionaries unless they are converted with the option zipmap:
  // false.
  if (type?.sequenceType) return 'a sequence (skl2onnx: convert with options={"zipmap": False})';
  return 'another type';
}

/** Lists the sizes of stored tensors, among which those of the inputs often are. */
export function likelySizes({ initializer }: onnx.IGraphProto): readonly number[] {
  const sizes = (initializer ?? []).flatMap(({ dims }) => (dims ?? []).map(Number));
  return [...new Set([1, ...sizes.filter((size) => size > 0 && size <= LARGEST_SIZE)])]
    .sort((a, b) => a - b)
    .slice(0, MAX_SIZES);
}

const LARGEST_SIZE = 4096;
const MAX_SIZES = 16;

/** Returns the shape as a card has it, with −1 for a free size. */
export const shapeOf = ({ dims }: Port): readonly number[] | undefined =>
  dims?.map((size) => (typeof size === 'number' ? size : -1));
