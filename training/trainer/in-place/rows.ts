/** Mini-batches, gathered by the host: a copy of a few rows, into the array that the session reads. */
import { elementCount } from '../../files/index.ts';
import type { Tensor } from '../../graph/index.ts';

/** Below so many elements a loop is faster than a view of each row. */
const shortRow = 16;

/** Room for `batchSize` of a tensor's rows `[count, ..]`. */
export function roomFor({ shape: [, ...shape], ...tensor }: Tensor, batchSize: number): Tensor {
  const data = tensor.data.slice(0, batchSize * elementCount(shape));
  return { ...tensor, shape: [batchSize, ...shape], data };
}

/**
 * Writes the rows of `from [count, ..]` with these indices to `to [indices, ..]`, whose numbers may be of another type: bytes of pictures
 * become float32 where a step takes nothing else.
 *
 * @throws RangeError for an index of no row
 */
export function gatherRows(
  { data: from, shape: [count = 0, ...shape] }: Tensor,
  indices: Int32Array,
  to: Tensor,
): void {
  for (let row = 0; row < indices.length; row++) {
    const index = indices[row] ?? -1;
    if (index < 0 || index >= count) throw new RangeError(`expected indices of ${count} samples, got ${index}`);
  }
  const size = elementCount(shape);
  const width = size * from.BYTES_PER_ELEMENT;
  if (from.constructor !== to.data.constructor) convertRows(from, indices, size, to.data);
  else if (size < shortRow && from.BYTES_PER_ELEMENT === wordBytes)
    copyWords(wordsOf(from), indices, size, wordsOf(to.data));
  else copyBytes(bytesOf(from), indices, width, bytesOf(to.data));
}

// Numbers of one type are copied as bits, so that each of the loops below sees one type of array and is compiled for it.
const wordBytes = Int32Array.BYTES_PER_ELEMENT;
type Data = Tensor['data'];
const wordsOf = ({ buffer, byteOffset, length }: Data): Int32Array => new Int32Array(buffer, byteOffset, length);
const bytesOf = ({ buffer, byteOffset, byteLength }: Data): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function copyWords(from: Int32Array, indices: Int32Array, size: number, to: Int32Array): void {
  for (let row = 0; row < indices.length; row++) {
    const start = (indices[row] ?? 0) * size;
    for (let i = 0; i < size; i++) to[row * size + i] = from[start + i] ?? 0;
  }
}

function copyBytes(from: Uint8Array, indices: Int32Array, width: number, to: Uint8Array): void {
  for (let row = 0; row < indices.length; row++) {
    const start = (indices[row] ?? 0) * width;
    to.set(from.subarray(start, start + width), row * width);
  }
}

function convertRows(from: Data, indices: Int32Array, size: number, to: Data): void {
  // Both are of numbers: what is not of them has one type on both sides.
  const [source, target] = [from as Float32Array, to as Float32Array];
  for (let row = 0; row < indices.length; row++) {
    const start = (indices[row] ?? 0) * size;
    target.set(source.subarray(start, start + size), row * size);
  }
}
