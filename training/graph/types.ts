/**
 * The vocabulary of an ONNX graph: element types, shapes, tensors, values. Everything is immutable.
 *
 * Source: https://github.com/onnx/onnx/blob/v1.16.0/docs/IR.md
 */

/** The element types that the project uses, by ONNX's names, with the arrays that hold such elements. */
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

/** A size that is known now, or a name for one known at run time (`'N'`, the number of samples). */
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

/** An edge of the graph. It is a class, so that an emitter can tell a value from attributes. */
export class Value implements TensorType {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** The elements of an initializer. Shape rules read them (Reshape's `shape`, ReduceSum's `axes`). */
  readonly constant: Tensor | undefined;

  constructor(name: string, type: TensorType, constant?: Tensor) {
    this.name = name;
    this.dtype = type.dtype;
    this.shape = type.shape;
    this.constant = constant;
  }
}

/**
 * A graph that cannot be built, or that fails its check. The message names the node, what was expected and what was
 * found.
 */
export class GraphError extends Error {}

/** Puts `where` before the message of a GraphError that `step` throws. */
export function located<T>(where: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof GraphError) throw new GraphError(`${where}: ${error.message}`, { cause: error });
    throw error;
  }
}
