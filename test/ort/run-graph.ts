/**
 * Runs a graph unchanged, without passes, in ONNX Runtime's native CPU provider, through the file that would be
 * shipped.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { openSession } from '../../training/backend/runtime.ts';
import { type DType, encodeModel, type Graph } from '../../training/graph/index.ts';
import { arrayOf, tensorsFor } from '../backends/tensors.ts';
import type { Arrays } from '../reference/evaluate.ts';
import type { NdArray } from '../reference/ndarray.ts';

export type Results = Readonly<Record<string, NdArray & { readonly dtype: DType }>>;

export async function runGraph(graph: Graph, feeds: Arrays): Promise<Results> {
  const session = await openSession({ InferenceSession, Tensor }, encodeModel(graph), { logSeverityLevel: 3 });
  try {
    const outputs = await session.run(tensorsFor(graph, feeds));
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { dtype }]) => [name, { dtype, ...arrayOf(outputs, name) }]),
    );
  } finally {
    await session.release();
  }
}
