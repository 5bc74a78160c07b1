/**
 * The vocabulary of an ONNX graph: element types, shapes, tensors, values. Everything is immutable.
 *
 * Source: https://github.com/onnx/onnx/blob/v1.16.0/docs/IR.md
 */

/** Every tensor element type the project uses, by ONNX's name, and the array that holds such elements. */
export interface DataOf {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int32: Int32Array;
  readonly int64: BigInt64Array;
  readonly uint8: Uint8Array;
  readonly uint32: Uint32Array;
  readonly bool: Uint8Array;
}

export type DType = keyof DataOf;

/** A size known now, or a name for one known at run time (`'N'`, the number of samples). */
export type Dim = number | string;
export type Shape = readonly Dim[];

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A tensor with its elements in row-major order. */
export interface Tensor<D extends DType = DType> extends TensorType {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: DataOf[D];
}

/** One edge of the graph. A class, so that an emitter can tell a value from its attributes. */
export class Value implements TensorType {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** The elements, when the value is an initializer; shape rules read them (Reshape's `shape`, ReduceSum's `axes`). */
  readonly constant: Tensor | undefined;

  constructor(name: string, type: TensorType, constant?: Tensor) {
    this.name = name;
    this.dtype = type.dtype;
    this.shape = type.shape;
    this.constant = constant;
  }
}

/** A graph that cannot be built, or one that fails its check; the message names node, expectation and finding. */
export class GraphError extends Error {}

/** Puts `where` in front of a GraphError that `step` throws. */
export function located<T>(where: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof GraphError) throw new GraphError(`${where}: ${error.message}`, { cause: error });
    throw error;
  }
}
