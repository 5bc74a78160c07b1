/** Writes an IDX file of unsigned bytes for tests. */
export function idx(shape: readonly number[], elements: Iterable<number>): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  shape.forEach((dimension, axis) => header.writeUInt32BE(dimension, 4 + 4 * axis));
  return Buffer.concat([header, Uint8Array.from(elements)]);
}
