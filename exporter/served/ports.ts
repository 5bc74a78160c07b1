/** What an ONNX file takes and gives, in the words of the Open Inference Protocol. */
import { GraphError, type onnx, onnxProto } from '../../training/graph/index.ts';

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

const elementTypes: { readonly [D in Datatype]: number } = {
  BOOL: DataType.BOOL,
  UINT8: DataType.UINT8,
  UINT16: DataType.UINT16,
  UINT32: DataType.UINT32,
  UINT64: DataType.UINT64,
  INT8: DataType.INT8,
  INT16: DataType.INT16,
  INT32: DataType.INT32,
  INT64: DataType.INT64,
  FP16: DataType.FLOAT16,
  FP32: DataType.FLOAT,
  FP64: DataType.DOUBLE,
};

export interface Port {
  readonly name: string;
  readonly datatype: Datatype;
  /** A free size is its name, which may be empty; none where the file does not say how many dimensions there are. */
  readonly dims: readonly (number | string)[] | undefined;
}

export interface Ports {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** @throws GraphError naming the input or output that is no tensor of numbers */
export function portsOf(graph: onnx.IGraphProto): Ports {
  const stored = new Set((graph.initializer ?? []).map(({ name }) => name));
  return {
    inputs: (graph.input ?? []).filter(({ name }) => !stored.has(name)).map(inputOf),
    outputs: (graph.output ?? []).map(portOf),
  };
}

/** @throws GraphError also for one that takes nothing at all */
function inputOf(value: onnx.IValueInfoProto): Port {
  const isEmpty = value.type?.tensorType?.shape?.dim?.some(
    (dim) => Object.hasOwn(dim, 'dimValue') && Number(dim.dimValue) === 0,
  );
  if (isEmpty) throw new GraphError(`${value.name ?? ''}: expected sizes of at least 1, got 0`);
  return portOf(value);
}

function portOf({ name, type }: onnx.IValueInfoProto): Port {
  const tensor = type?.tensorType;
  const datatype = datatypes.find((candidate) => elementTypes[candidate] === tensor?.elemType);
  if (!datatype) throw new GraphError(`${name ?? ''}: expected a tensor of numbers, got ${describeType(type)}`);
  const dims = tensor?.shape?.dim?.map(
    ({ dimValue, dimParam }) => Math.max(0, Number(dimValue ?? 0)) || (dimParam ?? ''),
  );
  return { name: name ?? '', datatype, dims };
}

function describeType(type: onnx.ITypeProto | null | undefined): string {
  if (type?.tensorType?.elemType === DataType.STRING) return 'texts: bn-edge add <file> makes a table of named columns';
  if (type?.tensorType) return `a tensor of ${DataType[type.tensorType.elemType ?? 0] ?? 'unknown type'}`;
  // scikit-learn's classifiers answer a list of dictionaries unless they are converted with the option zipmap: false.
  if (type?.sequenceType) return 'a sequence (skl2onnx: convert with options={"zipmap": False})';
  return 'another type';
}

/** Sizes of the stored tensors: those of the inputs are often among them. */
export function likelySizes({ initializer }: onnx.IGraphProto): readonly number[] {
  const sizes = (initializer ?? []).flatMap(({ dims }) => (dims ?? []).map(Number));
  return [...new Set([1, ...sizes.filter((size) => size > 0 && size <= LARGEST_SIZE)])]
    .sort((a, b) => a - b)
    .slice(0, MOST_SIZES);
}

const LARGEST_SIZE = 4096;
const MOST_SIZES = 16;

/** As a card has it: −1 for a free size. */
export const shapeOf = ({ dims }: Port): readonly number[] | undefined =>
  dims?.map((size) => (typeof size === 'number' ? size : -1));
