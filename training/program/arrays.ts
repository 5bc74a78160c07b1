/** Maps each element type to the array that holds it outside the program's memory. A boolean is 0 or 1. */

/** The array of halfs. Hosts without `Float16Array` get their bits. */
const halfs = (globalThis as { readonly Float16Array?: typeof Float16Array }).Float16Array ?? Uint16Array;

export const arrays = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  float16: halfs,
  float64: Float64Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
} as const;
