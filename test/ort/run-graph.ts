/** Runs a graph in ONNX Runtime's native CPU provider, through the file that would be shipped. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type DType, encodeModel, type Graph } from '../../training/graph/index.ts';
import type { NdArray } from '../reference/ndarray.ts';
import type { Arrays } from '../reference/evaluate.ts';

export type Results = Readonly<Record<string, NdArray & { readonly dtype: DType }>>;

export async function runGraph(graph: Graph, feeds: Arrays): Promise<Results> {
  const session = await InferenceSession.create(encodeModel(graph), { logSeverityLevel: 3 });
  try {
    const inputs = graph.inputs.map(({ name, dtype }) => [name, tensorOf(dtype, feeds[name])] as const);
    const outputs = await session.run(Object.fromEntries(inputs));
    return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, arrayOf(tensor)]));
  } finally {
    await session.release();
  }
}

const elements: { readonly [D in DType]: (data: Float64Array) => Tensor.DataType } = {
  float32: (data) => Float32Array.from(data),
  float64: (data) => data,
  int32: (data) => Int32Array.from(data),
  int64: (data) => BigInt64Array.from(data, BigInt),
  uint8: (data) => Uint8Array.from(data),
  uint32: (data) => Uint32Array.from(data),
  bool: (data) => Uint8Array.from(data),
};

function tensorOf(dtype: DType, feed: NdArray | undefined): Tensor {
  if (!feed) throw new Error('expected a feed for every input');
  return new Tensor(dtype, elements[dtype](feed.data), feed.shape);
}

function arrayOf(tensor: Tensor): NdArray & { readonly dtype: DType } {
  const data = tensor.data as ArrayLike<number | bigint>;
  return { dtype: tensor.type as DType, shape: tensor.dims, data: Float64Array.from(data, Number) };
}
