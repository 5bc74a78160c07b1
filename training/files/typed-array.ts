/** Typed arrays over the bytes of a file. */

/** A typed array's constructor, such as `Float32Array`. */
export interface TypedArrayConstructor<T> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
}

/** A view of `bytes` where they are aligned for it, else of a copy; their number must be a multiple of the element's. */
export function typedArrayOf<T>(TypedArray: TypedArrayConstructor<T>, bytes: Uint8Array): T {
  const aligned = bytes.byteOffset % TypedArray.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new TypedArray(aligned.buffer, aligned.byteOffset, bytes.length / TypedArray.BYTES_PER_ELEMENT);
}
