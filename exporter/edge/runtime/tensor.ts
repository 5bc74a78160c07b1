/**
 * Tensors as the edge runtime takes and gives them, and the checks made before anything enters WebAssembly.
 * Strings, sequences and maps are not supported.
 * Source of the codes: https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto (TensorProto.DataType)
 */
import type { DType, Tensor, TensorData, ValueInfo } from '../../../worker/image.ts';

export type { DType, Tensor, TensorData, ValueInfo };

/** Arrays of halfs; of their bits, where the host is older than they are. */
const halfs = (globalThis as { readonly Float16Array?: typeof Float16Array }).Float16Array ?? Uint16Array;

const dtypes = {
  float32: { code: 1, array: Float32Array },
  uint8: { code: 2, array: Uint8Array },
  int8: { code: 3, array: Int8Array },
  uint16: { code: 4, array: Uint16Array },
  int16: { code: 5, array: Int16Array },
  int32: { code: 6, array: Int32Array },
  int64: { code: 7, array: BigInt64Array },
  bool: { code: 9, array: Uint8Array },
  float16: { code: 10, array: halfs },
  float64: { code: 11, array: Float64Array },
  uint32: { code: 12, array: Uint32Array },
  uint64: { code: 13, array: BigUint64Array },
} as const satisfies Readonly<Record<DType, { readonly code: number; readonly array: unknown }>>;

/** The user's tensors do not fit the model. Thrown before WebAssembly is entered; nothing has changed. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
}

export function dtypeOf(code: number): DType | undefined {
  return (Object.keys(dtypes) as DType[]).find((dtype) => dtypes[dtype].code === code);
}

export function codeOf(dtype: DType): number {
  return dtypes[dtype].code;
}

export function elementBytes(dtype: DType): number {
  return dtypes[dtype].array.BYTES_PER_ELEMENT;
}

/** How many elements a shape has; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** A zeroed array for `count` elements. */
export function createData(dtype: DType, count: number): TensorData {
  return new dtypes[dtype].array(count);
}

/** The elements' bytes, not copied. */
export function bytesOf({ buffer, byteOffset, byteLength }: TensorData): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A copy of `count` elements of little-endian memory. `address` is a multiple of their size, as the allocator's are. */
export function copyData(dtype: DType, memory: Uint8Array, address: number, count: number): TensorData {
  const copy = createData(dtype, count);
  // A small array that nobody has asked for its buffer lives in the engine's own heap, which is far cheaper.
  (copy as Float32Array).set(new dtypes[dtype].array(memory.buffer as ArrayBuffer, address, count) as Float32Array);
  return copy;
}

/** @throws FeedError if the tensor is not one that `expected` admits. */
export function checkTensor(where: string, expected: ValueInfo, tensor: Tensor): void {
  const fail = (want: string, got: string): never => {
    throw new FeedError(`${where}: expected ${want}, got ${got}`);
  };
  const { dtype, shape, data } = tensor;
  if (dtype !== expected.dtype) fail(expected.dtype, dtype);
  if (!holds(dtype, data)) fail(dtypes[dtype].array.name, data.constructor.name);
  const wanted = expected.anyShape ? 'sizes that are whole numbers' : `shape [${expected.shape.join(', ')}]`;
  if (!fits(expected, shape)) fail(wanted, `[${shape.join(', ')}]`);
  if (data.length !== elementCount(shape)) fail(`${elementCount(shape)} elements`, `${data.length}`);
}

/** Halfs may be given by their bits on every host. */
function holds(dtype: DType, data: TensorData): boolean {
  return data instanceof dtypes[dtype].array || (dtype === 'float16' && data instanceof Uint16Array);
}

function fits({ shape: expected, anyShape = false }: ValueInfo, shape: readonly number[]): boolean {
  const isSize = (got: number, axis: number) => anyShape || isFree(expected[axis]) || got === expected[axis];
  return (
    (anyShape || shape.length === expected.length) &&
    shape.every((got, axis) => Number.isSafeInteger(got) && got >= 0 && isSize(got, axis))
  );
}

/** The shape with every free dimension 1. */
export function unitShape(shape: ValueInfo['shape']): readonly number[] {
  return shape.map((dimension) => (isFree(dimension) ? 1 : Number(dimension)));
}

/** Whether a dimension is chosen by the caller. */
export function isFree(dimension: number | string | undefined): boolean {
  return typeof dimension === 'string' || dimension === -1;
}
