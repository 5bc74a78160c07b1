/** Converts the reference's arrays to a backend's tensors, and back. */
import { type DataOf, type DType, type Graph, type Tensor } from '../../training/graph/index.ts';
import type { NamedTensors } from '../../training/backend/index.ts';
import type { Arrays } from '../reference/evaluate.ts';
import type { NdArray } from '../reference/ndarray.ts';

const elements: { readonly [D in DType]: (data: Float64Array) => DataOf[D] } = {
  float32: (data) => Float32Array.from(data),
  float64: (data) => data,
  int32: (data) => Int32Array.from(data),
  int64: (data) => BigInt64Array.from(data, BigInt),
  uint8: (data) => Uint8Array.from(data),
  uint32: (data) => Uint32Array.from(data),
  bool: (data) => Uint8Array.from(data),
};

export const tensorOf = (dtype: DType, { shape, data }: NdArray): Tensor => ({
  dtype,
  shape,
  data: elements[dtype](data),
});

export function tensorsFor(graph: Graph, feeds: Arrays): NamedTensors {
  return Object.fromEntries(
    graph.inputs.map(({ name, dtype }) => {
      const feed = feeds[name];
      if (!feed) throw new Error(`${name}: no feed`);
      return [name, tensorOf(dtype, feed)];
    }),
  );
}

export function arrayOf(tensors: NamedTensors, name: string): NdArray {
  const tensor = tensors[name];
  if (!tensor) throw new Error(`${name}: no result`);
  return { shape: tensor.shape, data: Float64Array.from(tensor.data, Number) };
}
