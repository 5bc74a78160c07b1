/**
 * A native session that writes its outputs into arrays of the caller's, and nowhere else. ONNX Runtime's binding for Node does write into
 * arrays that it is given, but then copies each output into a new array for its answer: of a network of four million parameters 16 MB a
 * step, which the garbage collector takes longer to clear away than the step takes.
 *
 * It copies in the order of the outputs, when the run is over. So the graph gets one output more, before all others, that the binding cannot
 * give to JavaScript, a sequence: the run ends with an error that says so, and no output has been copied. Whether the runtime at
 * hand is of this kind is tried once, with a graph of one number; any other version gives its answers copied, only slower.
 *
 * Source: https://github.com/microsoft/onnxruntime/blob/v1.23.0/js/node/src/tensor_helper.cc (OrtValueToNapiValue)
 */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { releasing } from '../files/index.ts';
import { checkGraph, encodeModel, encodeProto, graphBuilder, type onnx, onnxProto } from '../graph/index.ts';
import type { Runtime } from './runtime.ts';

const sequence = 'never copied';

/** What the binding says of an output that is no tensor. */
const expected = 'Non tensor type is temporarily not supported';

/** The model with the output that is in the way of all others. */
export function withSequence(model: Uint8Array): Uint8Array {
  const { FLOAT } = onnxProto.onnx.TensorProto.DataType;
  const type = { sequenceType: { elemType: { tensorType: { elemType: FLOAT } } } };
  const node = { opType: 'SequenceEmpty', name: sequence, output: [sequence] };
  // Messages one after the other are one message whose lists are one after the other.
  const parts = [graphOf({ output: [{ name: sequence, type }] }), model, graphOf({ node: [node] })];
  return Buffer.concat(parts);
}

const graphOf = (graph: onnx.IGraphProto): Uint8Array => encodeProto({ graph });

/** Runs a session of such a model; the answer is in `fetches`. */
export async function runUncopied(
  session: InferenceSession,
  feeds: Readonly<Record<string, OrtTensor>>,
  fetches: Readonly<Record<string, OrtTensor>>,
): Promise<InferenceSession.OnnxValueMapType> {
  try {
    await session.run(feeds, { ...fetches, [sequence]: null });
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes(expected)) throw error;
  }
  return {};
}

/** Whether the runtime writes into the caller's arrays first, and only then finds that it cannot give the sequence. */
export const canRunUncopied = (runtime: Runtime): Promise<boolean> =>
  doubles(runtime, withSequence, runUncopied, () => new Float32Array(1));

/** Whether the runtime takes arrays of a memory that threads share: Node 20 does not let it, and some have none. */
export const takesSharedMemory = (runtime: Runtime): Promise<boolean> =>
  doubles(
    runtime,
    (model) => model,
    (session, feeds, fetches) => session.run(feeds, fetches),
    () => new Float32Array(new SharedArrayBuffer(Float32Array.BYTES_PER_ELEMENT)),
  );

/** Whether a graph of one number runs so. */
async function doubles(
  { InferenceSession, Tensor }: Runtime,
  change: (model: Uint8Array) => Uint8Array,
  run: typeof runUncopied,
  arrayOfOne: () => Float32Array,
): Promise<boolean> {
  const g = graphBuilder();
  const value = g.input('x', { dtype: 'float32', shape: [1] });
  const file = change(encodeModel(checkGraph(g.build('doubled', { y: g.Add(value, value) }))));
  try {
    const [x, y] = [arrayOfOne().fill(3), arrayOfOne()];
    const options = { executionProviders: ['cpu'], logSeverityLevel: 3 } as const;
    await using session = releasing(await InferenceSession.create(file, options));
    await run(session, { x: new Tensor('float32', x, [1]) }, { y: new Tensor('float32', y, [1]) });
    return y[0] === 6;
  } catch {
    return false;
  }
}
