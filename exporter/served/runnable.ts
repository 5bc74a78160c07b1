/** Whether the runtime in the Worker can run a model: asked of that very runtime, when the Worker is built. */
import * as ort from 'onnxruntime-web/wasm';
import { UserError } from '../../training/files/index.ts';
import { GraphError, type onnx, onnxProto } from '../../training/graph/index.ts';

const { DataType } = onnxProto.onnx.TensorProto;

/** The element types of the protocol's numeric datatypes. */
const served = new Set<number>([
  DataType.FLOAT,
  DataType.DOUBLE,
  DataType.FLOAT16,
  DataType.BOOL,
  DataType.UINT8,
  DataType.UINT16,
  DataType.UINT32,
  DataType.UINT64,
  DataType.INT8,
  DataType.INT16,
  DataType.INT32,
  DataType.INT64,
]);

/** @throws GraphError naming the input or output that is no tensor of numbers */
export function requireNumbers(graph: onnx.IGraphProto): void {
  const stored = new Set((graph.initializer ?? []).map(({ name }) => name));
  const inputs = (graph.input ?? []).filter(({ name }) => !stored.has(name));
  for (const { name, type } of [...inputs, ...(graph.output ?? [])]) {
    if (type?.tensorType && served.has(type.tensorType.elemType ?? 0)) continue;
    throw new GraphError(`${name ?? ''}: expected a tensor of numbers, got ${describeType(type)}`);
  }
}

function describeType(type: onnx.ITypeProto | null | undefined): string {
  if (type?.tensorType) return `a tensor of ${DataType[type.tensorType.elemType ?? 0] ?? 'unknown type'}`;
  // scikit-learn's classifiers answer a list of dictionaries unless they are converted with the option zipmap: false.
  if (type?.sequenceType) return 'a sequence (skl2onnx: convert with options={"zipmap": False})';
  return 'another type';
}

/** @throws UserError with the runtime's reason, which names an operator that it lacks */
export async function requireRunnable(file: string, model: Uint8Array): Promise<void> {
  ort.env.wasm.numThreads = 1;
  try {
    const session = await ort.InferenceSession.create(model, { logSeverityLevel: 4 });
    await session.release();
  } catch (error) {
    throw new UserError(`${file}: the runtime cannot run it: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .split('\n', 1)
    .join()
    .replace(/^.*ERROR_MESSAGE: /, '')
    .replace(/\S*\/\S+:\d+ /g, '');
}
