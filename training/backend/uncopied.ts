/**
 * Makes a native session write its outputs into the caller's arrays and nowhere else. ONNX Runtime's binding for Node
 * does write into arrays that it is given, but then copies each output into a new array for its answer. For a network
 * of four million parameters these are 16 MB a step, which the garbage collector takes longer to free than the step
 * takes.
 *
 * The binding copies the outputs in order, after the run. The graph therefore gets an additional output before all
 * others that the binding cannot convert to JavaScript: a sequence. The run ends with an error that says so, and no
 * output has been copied. A graph of one number tests once whether the installed runtime behaves like this; with any
 * other version, outputs are copied and only speed is lost.
 *
 * Source: https://github.com/microsoft/onnxruntime/blob/v1.23.0/js/node/src/tensor_helper.cc (OrtValueToNapiValue)
 */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { releasing } from '../files/index.ts';
import { checkGraph, encodeModel, encodeProto, graphBuilder, type onnx, onnxProto } from '../graph/index.ts';
import type { Runtime } from './runtime.ts';

const sequence = 'never copied';

/** The binding's message about an output that is not a tensor. */
const expected = 'Non tensor type is temporarily not supported';

/** Returns the model with the additional output, which stands before all others. */
export function withSequence(model: Uint8Array): Uint8Array {
  const { FLOAT } = onnxProto.onnx.TensorProto.DataType;
  const type = { sequenceType: { elemType: { tensorType: { elemType: FLOAT } } } };
  const node = { opType: 'SequenceEmpty', name: sequence, output: [sequence] };
  // Concatenated messages decode as one message whose lists are concatenated.
  const parts = [graphOf({ output: [{ name: sequence, type }] }), model, graphOf({ node: [node] })];
  return Buffer.concat(parts);
}

const graphOf = (graph: onnx.IGraphProto): Uint8Array => encodeProto({ graph });

/** Runs a session of such a model. The results are in `fetches`. */
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

/** Is true when the runtime writes into the caller's arrays before it finds that it cannot convert the sequence. */
export const canRunUncopied = (runtime: Runtime): Promise<boolean> =>
  givesRightSum(runtime, withSequence, runUncopied, () => new Float32Array(1));

/**
 * Is true when the runtime accepts arrays in memory that threads share. Node 20 does not allow it, and some engines
 * have no such memory.
 */
export const takesSharedMemory = (runtime: Runtime): Promise<boolean> =>
  givesRightSum(
    runtime,
    (model) => model,
    (session, feeds, fetches) => session.run(feeds, fetches),
    () => new Float32Array(new SharedArrayBuffer(Float32Array.BYTES_PER_ELEMENT)),
  );

/** Is true when a graph that adds a number to itself gives the right sum in this way. */
async function givesRightSum(
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
