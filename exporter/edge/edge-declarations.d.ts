/** ONNX models, ready to run. Written by the build of the edge image; do not edit. */

export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool';

export type TensorData =
  | Float16Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

/** How many elements a shape has; 1 for a scalar. */
export declare function elementCount(shape: readonly number[]): number;

/** Of one element. */
export declare function elementBytes(dtype: DType): number;

/** A zeroed array for `count` elements. */
export declare function createData(dtype: DType, count: number): TensorData;

/** The elements' bytes, not copied. */
export declare function bytesOf(data: TensorData): Uint8Array;

/** `data` is row-major and has as many elements as `shape` says. `bool` data is 0 or 1. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** A model's input or output. A string in `shape` names a free dimension, -1 is a free dimension without a name. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

export interface Session {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];

  /**
   * Runs the model on `feeds`, one tensor for each input, and returns copies of the outputs asked for (all by default).
   * @throws FeedError if a feed is missing, unknown or not what the model takes
   * @throws InferenceError if ONNX Runtime refuses, with its message; an over-large batch is `std::bad_alloc`
   */
  run(feeds: Readonly<Record<string, Tensor>>, outputNames?: readonly string[]): Record<string, Tensor>;
}

/** The user's tensors do not fit the model. */
export declare class FeedError extends Error {}

/** ONNX Runtime, or the allocator, refused a run with a message. The session stays usable. */
export declare class InferenceError extends Error {
  readonly outOfMemory: boolean;
}

/** By model name: the path of the ONNX file below the models' folder, without its extension. */
export declare const sessions: ReadonlyMap<string, Session>;
