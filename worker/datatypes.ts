/**
 * The tensor datatypes of the Open Inference Protocol, tied to ONNX's element types and to JavaScript's typed arrays.
 *
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 * https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto (`TensorProto.DataType`)
 */

/** The numbers that a datatype can hold; reals are rounded to the nearest representable one. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
}

const integers = (min: number, max: number): NumberRange => ({ min, max, integer: true });
const reals = (max: number): NumberRange => ({ min: -max, max, integer: false });

const FP16_MAX = 65504;
const FP32_MAX = 3.4028234663852886e38;

/**
 * `onnx` is the number in `TensorProto.DataType`. `range` is `null` where the JSON values are `true` and `false`; that
 * of the 64-bit integers ends where JSON numbers stop being exact.
 */
export const datatypes = {
  BOOL: { onnx: 9, array: Uint8Array, range: null },
  UINT8: { onnx: 2, array: Uint8Array, range: integers(0, 255) },
  UINT16: { onnx: 4, array: Uint16Array, range: integers(0, 65535) },
  UINT32: { onnx: 12, array: Uint32Array, range: integers(0, 2 ** 32 - 1) },
  UINT64: { onnx: 13, array: BigUint64Array, range: integers(0, Number.MAX_SAFE_INTEGER) },
  INT8: { onnx: 3, array: Int8Array, range: integers(-128, 127) },
  INT16: { onnx: 5, array: Int16Array, range: integers(-32768, 32767) },
  INT32: { onnx: 6, array: Int32Array, range: integers(-(2 ** 31), 2 ** 31 - 1) },
  INT64: { onnx: 7, array: BigInt64Array, range: integers(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) },
  FP16: { onnx: 10, array: Float16Array, range: reals(FP16_MAX) },
  FP32: { onnx: 1, array: Float32Array, range: reals(FP32_MAX) },
  FP64: { onnx: 11, array: Float64Array, range: reals(Number.MAX_VALUE) },
} as const;

export type Datatype = keyof typeof datatypes;
export type TensorData = InstanceType<(typeof datatypes)[Datatype]['array']>;

export interface Tensor {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Row-major, one entry per element. */
  readonly data: TensorData;
}

/** What a model declares about one of its inputs or outputs; -1 stands for a dimension of any size. */
export interface TensorInfo {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

export function isDatatype(name: string): name is Datatype {
  return Object.hasOwn(datatypes, name);
}

/** The datatype of an ONNX element type, or `undefined` for strings, sequences and other non-numbers. */
export function datatypeOf(onnx: number): Datatype | undefined {
  return (Object.keys(datatypes) as Datatype[]).find((name) => datatypes[name].onnx === onnx);
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
