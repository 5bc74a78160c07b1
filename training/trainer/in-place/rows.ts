/** Gathers mini-batches on the host, by copying a few rows into the array that the session reads. */
import { elementCount } from '../../arrays/index.ts';
import type { Tensor } from '../../graph/index.ts';

/** The number of elements below which a loop is faster than a view of each row. */
const shortRow = 16;

/** Returns a tensor with room for `batchSize` rows of a tensor `[count, ..]`. */
export function roomFor({ shape: [, ...shape], ...tensor }: Tensor, batchSize: number): Tensor {
  const data = tensor.data.slice(0, batchSize * elementCount(shape));
  return { ...tensor, shape: [batchSize, ...shape], data };
}

/**
 * Writes the rows of `from [count, ..]` with these indices to `to [indices, ..]`. The types may differ: bytes of
 * pictures become float32 where a step takes nothing else.
 *
 * @throws RangeError for an index outside of the rows
 */
export function gatherRows(
  { data: from, shape: [count = 0, ...shape] }: Tensor,
  indices: Int32Array,
  to: Tensor,
): void {
  for (let row = 0; row < indices.length; row++) {
    const index = indices[row] as number;
    if (index < 0 || index >= count) throw new RangeError(`expected indices of ${count} samples, got ${index}`);
  }
  const size = elementCount(shape);
  const width = size * from.BYTES_PER_ELEMENT;
  if (from.constructor !== to.data.constructor) convertRows(from, indices, size, to.data);
  else if (size < shortRow && from.BYTES_PER_ELEMENT === wordBytes)
    copyWords(wordsOf(from), indices, size, wordsOf(to.data));
  else copyBytes(bytesOf(from), indices, width, bytesOf(to.data));
}

// Numbers of one type are copied as bits, so that each of the loops below sees one type of array, and the engine
// optimizes it for that type. Each index is within `indices` and within the rows, as `gatherRows` checks: `present`
// would take another 7 % of the time of short rows.
const wordBytes = Int32Array.BYTES_PER_ELEMENT;
type Data = Tensor['data'];
const wordsOf = ({ buffer, byteOffset, length }: Data): Int32Array => new Int32Array(buffer, byteOffset, length);
const bytesOf = ({ buffer, byteOffset, byteLength }: Data): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function copyWords(from: Int32Array, indices: Int32Array, size: number, to: Int32Array): void {
  for (let row = 0; row < indices.length; row++) {
    const start = (indices[row] as number) * size;
    for (let i = 0; i < size; i++) to[row * size + i] = from[start + i] as number;
  }
}

function copyBytes(from: Uint8Array, indices: Int32Array, width: number, to: Uint8Array): void {
  for (let row = 0; row < indices.length; row++) {
    const start = (indices[row] as number) * width;
    to.set(from.subarray(start, start + width), row * width);
  }
}

function convertRows(from: Data, indices: Int32Array, size: number, to: Data): void {
  // Both arrays hold numbers: bigints have the same type on both sides and are copied as bits.
  const [source, target] = [from as Float32Array, to as Float32Array];
  for (let row = 0; row < indices.length; row++) {
    const start = (indices[row] as number) * size;
    target.set(source.subarray(start, start + size), row * size);
  }
}
