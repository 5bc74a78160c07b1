/** Maps element types to ONNX's numbers, and tensors to raw little-endian bytes and back. */
import { onnxProto } from './onnx-proto.ts';
import { elementCount } from '../arrays/index.ts';
import { arrays } from '../program/index.ts';
import type { DType, Tensor } from './types.ts';

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

/** @returns undefined for an element type that the project does not use */
export function dtypeOf(dataType: number | null | undefined): DType | undefined {
  return (Object.keys(dataTypes) as DType[]).find((dtype) => dataTypes[dtype] === dataType);
}

export const isDType = (type: string): type is DType => Object.hasOwn(dataTypes, type);

export function rawBytes({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Copies the bytes to a tensor, so that the elements are aligned whatever the offset inside the file. */
export function tensorFromBytes(dtype: DType, shape: readonly number[], bytes: Uint8Array): Tensor | undefined {
  const { [dtype]: Data } = arrays;
  if (bytes.byteLength !== elementCount(shape) * Data.BYTES_PER_ELEMENT) return undefined;
  return { dtype, shape, data: new Data(new Uint8Array(bytes).buffer) };
}
