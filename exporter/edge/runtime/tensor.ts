/**
 * The tensors of the edge runtime, and the checks made before anything enters WebAssembly. Strings, sequences and maps
 * are not supported.
 * Source of the codes: https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto (TensorProto.DataType)
 */
import { elementCount } from '../../../training/arrays/index.ts';
import { arrays } from '../../../training/program/index.ts';
import type { DType, Tensor, TensorData, ValueInfo } from '../../../worker/image.ts';

export type { DType, Tensor, TensorData, ValueInfo };

/** The codes are kept apart from the arrays, since an image of compiled models does not need them. */
const codes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const satisfies Readonly<Record<DType, number>>;

/**
 * Thrown if the caller's tensors do not fit the model, before WebAssembly is entered, so that nothing has changed.
 */
export class FeedError extends Error {
  override readonly name = 'FeedError';
}

export function dtypeOf(code: number): DType | undefined {
  return (Object.keys(codes) as DType[]).find((dtype) => codes[dtype] === code);
}

export function codeOf(dtype: DType): number {
  return codes[dtype];
}

export function elementBytes(dtype: DType): number {
  return arrays[dtype].BYTES_PER_ELEMENT;
}

/** Returns a zeroed array of `count` elements. */
export function createData(dtype: DType, count: number): TensorData {
  return new arrays[dtype](count);
}

/** Returns the bytes of the elements, not copied. */
export function bytesOf({ buffer, byteOffset, byteLength }: TensorData): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Copies `count` elements of little-endian memory. `address` is a multiple of their size, as the allocator's are. */
export function copyData(dtype: DType, memory: Uint8Array, address: number, count: number): TensorData {
  const copy = createData(dtype, count);
  // The engine keeps a small array in its own heap, which is far cheaper, until something reads its `buffer`.
  (copy as Float32Array).set(new arrays[dtype](memory.buffer as ArrayBuffer, address, count) as Float32Array);
  return copy;
}

export function refuse(where: string, want: string, got: string): never {
  throw new FeedError(`${where}: expected ${want}, got ${got}`);
}

/** @throws FeedError if the tensor is not one that `expected` allows */
export function checkTensor(where: string, expected: ValueInfo, { dtype, shape, data }: Tensor): void {
  const { anyShape } = expected;
  const isWanted = (size: number, axis: number) =>
    Number.isSafeInteger(size) &&
    size >= 0 &&
    (anyShape || isFree(expected.shape[axis]) || size === expected.shape[axis]);
  const hasRank = anyShape || shape.length === expected.shape.length;
  const count = elementCount(shape);
  if (dtype !== expected.dtype) refuse(where, expected.dtype, dtype);
  // Every host takes float16 as the bits in a `Uint16Array`, too.
  if (!(data instanceof arrays[dtype] || (dtype === 'float16' && data instanceof Uint16Array)))
    refuse(where, arrays[dtype].name, data.constructor.name);
  if (!hasRank || !shape.every(isWanted)) {
    const wanted = anyShape ? 'sizes that are whole numbers' : `shape [${expected.shape.join(', ')}]`;
    refuse(where, wanted, `[${shape.join(', ')}]`);
  }
  if (data.length !== count) refuse(where, `${count} elements`, `${data.length}`);
}

/** Returns the shape with every free dimension 1. */
export function unitShape(shape: ValueInfo['shape']): readonly number[] {
  return shape.map((dimension) => (isFree(dimension) ? 1 : Number(dimension)));
}

/** Is true if the caller chooses the size of a dimension. */
export function isFree(dimension: number | string | undefined): boolean {
  return typeof dimension === 'string' || dimension === -1;
}
