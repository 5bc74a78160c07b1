/**
 * The tensor datatypes of the Open Inference Protocol, tied to ONNX's element types.
 *
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 * https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto (`TensorProto.DataType`)
 */

import type { DType, TensorData } from '../../dist/edge/edge.mjs';

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
 * `dtype` is the edge image's name of it, which is ONNX's in lower case. `range` is `null` where the JSON values are `true` and `false`; that
 * of the 64-bit integers ends where JSON numbers stop being exact.
 */
export const datatypes = {
  BOOL: { dtype: 'bool', range: null },
  UINT8: { dtype: 'uint8', range: integers(0, 255) },
  UINT16: { dtype: 'uint16', range: integers(0, 65535) },
  UINT32: { dtype: 'uint32', range: integers(0, 2 ** 32 - 1) },
  UINT64: { dtype: 'uint64', range: integers(0, Number.MAX_SAFE_INTEGER) },
  INT8: { dtype: 'int8', range: integers(-128, 127) },
  INT16: { dtype: 'int16', range: integers(-32768, 32767) },
  INT32: { dtype: 'int32', range: integers(-(2 ** 31), 2 ** 31 - 1) },
  INT64: { dtype: 'int64', range: integers(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) },
  FP16: { dtype: 'float16', range: reals(FP16_MAX) },
  FP32: { dtype: 'float32', range: reals(FP32_MAX) },
  FP64: { dtype: 'float64', range: reals(Number.MAX_VALUE) },
} as const satisfies Readonly<Record<string, { readonly dtype: DType; readonly range: NumberRange | null }>>;

export type Datatype = keyof typeof datatypes;

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

export function datatypeOf(dtype: DType): Datatype {
  return datatypeOfDtype[dtype];
}

const datatypeOfDtype = Object.fromEntries(
  Object.entries(datatypes).map(([datatype, { dtype }]) => [dtype, datatype]),
) as Readonly<Record<DType, Datatype>>;
