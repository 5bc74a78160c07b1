/**
 * A data set in memory: one contiguous typed array of inputs beside one of targets, as they enter the training graph.
 * It knows nothing of files or networks.
 */

/** `count` samples of one shape, row-major: the whole array is `[count, ...inputShape]`. */
export interface Samples {
  readonly inputs: Uint8Array | Float32Array;
  /** Shape of one sample, such as `[1, 28, 28]` (channels, rows, columns) or `[13]`. */
  readonly inputShape: readonly number[];
  readonly count: number;
}

/** Samples that each belong to one class. */
export interface ClassificationDataset extends Samples {
  /** `[count]`, each an index into `classes`. */
  readonly labels: Int32Array;
  readonly classes: readonly string[];
}

/** Number of elements of an array of this shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** The samples at `indices`, copied in that order. */
export function subset(dataset: ClassificationDataset, indices: Int32Array): ClassificationDataset {
  const { inputs, inputShape, labels } = dataset;
  const length = indices.length * elementCount(inputShape);
  const chosen = inputs instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  return {
    ...dataset,
    inputs: gatherRows(inputs, indices, chosen),
    labels: gatherRows(labels, indices, new Int32Array(indices.length)),
    count: indices.length,
  };
}

/** Fills `into` with the rows at `indices`, like ONNX's Gather on axis 0. */
function gatherRows<T extends Uint8Array | Float32Array | Int32Array>(rows: T, indices: Int32Array, into: T): T {
  const size = into.length / indices.length;
  indices.forEach((index, position) => {
    into.set(rows.subarray(index * size, (index + 1) * size), position * size);
  });
  return into;
}
