/** Makes typed arrays over the bytes of a file. */

export interface TypedArrayConstructor<T> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
}

/**
 * Returns a view of `bytes` where their alignment allows it, otherwise a view of a copy. Their number must be a
 * multiple of the element's size.
 */
export function typedArrayOf<T>(TypedArray: TypedArrayConstructor<T>, bytes: Uint8Array): T {
  const aligned = bytes.byteOffset % TypedArray.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new TypedArray(aligned.buffer, aligned.byteOffset, bytes.length / TypedArray.BYTES_PER_ELEMENT);
}
