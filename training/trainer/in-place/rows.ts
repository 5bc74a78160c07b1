/** Mini-batches, gathered by the host: a copy of a few rows, into the array that the session reads. */
import { elementCount } from '../../files/index.ts';
import type { Tensor } from '../../graph/index.ts';

/** Below this a loop is faster than a view of each row. */
const shortRow = 16;

/** Room for `batchSize` of a tensor's rows `[count, ..]`. */
export function roomFor({ shape: [, ...shape], ...tensor }: Tensor, batchSize: number): Tensor {
  const data = tensor.data.slice(0, batchSize * elementCount(shape));
  return { ...tensor, shape: [batchSize, ...shape], data };
}

/**
 * Writes the rows of `from [count, ..]` with these indices to `to [indices, ..]`, a tensor of the same type.
 *
 * @throws RangeError for an index of no row
 */
export function gatherRows(
  { data: from, shape: [count = 0, ...shape] }: Tensor,
  indices: Int32Array,
  { data: to }: Tensor,
): void {
  const size = elementCount(shape);
  const wrong = indices.find((index) => index < 0 || index >= count);
  if (wrong !== undefined) throw new RangeError(`expected indices of ${count} samples, got ${wrong}`);
  if (size < shortRow) {
    for (let row = 0; row < indices.length; row++) {
      const start = (indices[row] ?? 0) * size;
      for (let i = 0; i < size; i++) to[row * size + i] = from[start + i] ?? 0;
    }
    return;
  }
  // Both are of one type, whichever that is.
  const [source, target] = [from as Float32Array, to as Float32Array];
  for (let row = 0; row < indices.length; row++) {
    const start = (indices[row] ?? 0) * size;
    target.set(source.subarray(start, start + size), row * size);
  }
}
