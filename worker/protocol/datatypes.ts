/**
 * Ties the tensor datatypes of the Open Inference Protocol to ONNX's element types and to the arrays that hold them.
 *
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 * https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto (`TensorProto.DataType`)
 */
import type { DType, TensorData } from '../image.ts';
import { fromHalfBits, halfBits } from './halfs.ts';

export type { TensorData };

/** Describes the numbers that a datatype can hold; reals are rounded to the nearest representable one. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
}

interface DatatypeInfo {
  /** The name that images use: ONNX's, in lower case. */
  readonly dtype: DType;
  /** The size of one element. */
  readonly bytes: number;
  /**
   * Is `null` for booleans, whose JSON values are `true` and `false`. The range of the 64-bit integers ends where JSON
   * numbers stop being exact.
   */
  readonly range: NumberRange | null;
  /** Creates a zeroed array of `count` elements. */
  create(count: number): TensorData;
}

const integers = (min: number, max: number): NumberRange => ({ min, max, integer: true });
const reals = (max: number): NumberRange => ({ min: -max, max, integer: false });

const FP16_MAX = 65504;
const FP32_MAX = 3.4028234663852886e38;
const INT64_MAX = Number.MAX_SAFE_INTEGER;

/** Creates arrays of halfs, or of their bits on hosts without `Float16Array`. */
const Halfs = (globalThis as { readonly Float16Array?: typeof Float16Array }).Float16Array ?? Uint16Array;

export const datatypes = {
  BOOL: { dtype: 'bool', bytes: 1, range: null, create: (count) => new Uint8Array(count) },
  UINT8: { dtype: 'uint8', bytes: 1, range: integers(0, 255), create: (count) => new Uint8Array(count) },
  UINT16: { dtype: 'uint16', bytes: 2, range: integers(0, 65535), create: (count) => new Uint16Array(count) },
  UINT32: { dtype: 'uint32', bytes: 4, range: integers(0, 2 ** 32 - 1), create: (count) => new Uint32Array(count) },
  UINT64: { dtype: 'uint64', bytes: 8, range: integers(0, INT64_MAX), create: (count) => new BigUint64Array(count) },
  INT8: { dtype: 'int8', bytes: 1, range: integers(-128, 127), create: (count) => new Int8Array(count) },
  INT16: { dtype: 'int16', bytes: 2, range: integers(-32768, 32767), create: (count) => new Int16Array(count) },
  INT32: {
    dtype: 'int32',
    bytes: 4,
    range: integers(-(2 ** 31), 2 ** 31 - 1),
    create: (count) => new Int32Array(count),
  },
  INT64: {
    dtype: 'int64',
    bytes: 8,
    range: integers(-INT64_MAX, INT64_MAX),
    create: (count) => new BigInt64Array(count),
  },
  FP16: { dtype: 'float16', bytes: 2, range: reals(FP16_MAX), create: (count): TensorData => new Halfs(count) },
  FP32: { dtype: 'float32', bytes: 4, range: reals(FP32_MAX), create: (count) => new Float32Array(count) },
  FP64: { dtype: 'float64', bytes: 8, range: reals(Number.MAX_VALUE), create: (count) => new Float64Array(count) },
} as const satisfies Readonly<Record<string, DatatypeInfo>>;

export type Datatype = keyof typeof datatypes;

export interface Tensor {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Row-major, one entry per element. */
  readonly data: TensorData;
}

/** Describes an input or an output as the model declares it; -1 stands for a dimension of any size. */
export interface TensorInfo {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Is true when any number of dimensions is accepted; `shape` has no meaning then. */
  readonly anyShape?: boolean;
  /**
   * Is true when the first dimension is known to count something other than the samples, such as the steps of a
   * sequence.
   */
  readonly samplesElsewhere?: boolean;
}

export function isDatatype(name: string): name is Datatype {
  return Object.hasOwn(datatypes, name);
}

export function datatypeOf(dtype: DType): Datatype {
  return datatypeOfDtype[dtype];
}

const datatypeOfDtype = Object.fromEntries(
  Object.entries(datatypes).map(([datatype, { dtype }]) => [dtype, datatype]),
) as Readonly<Record<DType, Datatype>>;

/** Returns the elements' bytes, not copied. */
export function bytesOf({ buffer, byteOffset, byteLength }: TensorData): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Returns the elements as numbers. Bits of halfs are converted; anything else is not copied. */
export function elementsOf({ datatype, data }: Pick<Tensor, 'datatype' | 'data'>): TensorData {
  return isBits(datatype, data) ? Float32Array.from(data, fromHalfBits) : data;
}

/** Returns a function that sets an element of `data` to the nearest number of the datatype. */
export function setterOf({
  datatype,
  data,
}: Pick<Tensor, 'datatype' | 'data'>): (index: number, value: number) => void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return (index, value) => {
      data[index] = BigInt(value);
    };
  }
  const bits = isBits(datatype, data);
  return (index, value) => {
    data[index] = bits ? halfBits(value) : value;
  };
}

const isBits = (datatype: Datatype, data: TensorData): data is Uint16Array<ArrayBuffer> =>
  datatype === 'FP16' && data instanceof Uint16Array;

/** Returns JavaScript numbers; 64-bit integers lose digits beyond 2^53. */
export function numbersOf(tensor: Tensor): number[] {
  return Array.from<number | bigint, number>(elementsOf(tensor), Number);
}
