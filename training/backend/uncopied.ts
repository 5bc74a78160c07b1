/**
 * A native session that writes its outputs into arrays of the caller's, and nowhere else. ONNX Runtime's binding for Node does write into
 * arrays that it is given, but then copies each output into a new array for its answer: of a network of four million parameters 16 MB a
 * step, which the garbage collector takes longer to clear away than the step takes.
 *
 * It copies in the order of the outputs, when the run is over. So the graph gets one output more, before all others, that the binding cannot
 * give to JavaScript, a sequence: the run ends with an error that says so, and no output has been copied. If a later version can, it
 * answers as for any other graph, only slower.
 *
 * Source: https://github.com/microsoft/onnxruntime/blob/v1.23.0/js/node/src/tensor_helper.cc (OrtValueToNapiValue)
 */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { encodeProto, type onnx, onnxProto } from '../graph/index.ts';

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
