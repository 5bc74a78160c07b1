/** ONNX's numbers for our element types, and raw little-endian bytes in and out. */
import { onnxProto } from './onnx-proto.ts';
import { elementCount } from '../files/index.ts';
import { bytesPerElement, type DataOf, type DType, type Tensor } from './types.ts';

const { DataType } = onnxProto.onnx.TensorProto;

export const dataTypes: { readonly [D in DType]: number } = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  int32: DataType.INT32,
  int64: DataType.INT64,
  uint8: DataType.UINT8,
  uint32: DataType.UINT32,
  bool: DataType.BOOL,
};

/** @returns undefined for an element type the project does not use */
export function dtypeOf(dataType: number | null | undefined): DType | undefined {
  return (Object.keys(dataTypes) as DType[]).find((dtype) => dataTypes[dtype] === dataType);
}

const views: { readonly [D in DType]: (bytes: ArrayBuffer) => DataOf[D] } = {
  float32: (bytes) => new Float32Array(bytes),
  float64: (bytes) => new Float64Array(bytes),
  int32: (bytes) => new Int32Array(bytes),
  int64: (bytes) => new BigInt64Array(bytes),
  uint8: (bytes) => new Uint8Array(bytes),
  uint32: (bytes) => new Uint32Array(bytes),
  bool: (bytes) => new Uint8Array(bytes),
};

export function rawBytes({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A copy, so that the elements are aligned whatever the offset inside the file. */
export function tensorFromBytes(dtype: DType, shape: readonly number[], bytes: Uint8Array): Tensor | undefined {
  if (bytes.byteLength !== elementCount(shape) * bytesPerElement[dtype]) return undefined;
  return { dtype, shape, data: views[dtype](new Uint8Array(bytes).buffer) };
}
