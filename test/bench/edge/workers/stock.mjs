/**
 * Loads stock ONNX Runtime Web through its JavaScript API. Workers may not compile WebAssembly, so the API receives a
 * binary that it never reads and an `instantiate` that returns the imported module.
 */
import * as ort from 'onnxruntime-web/wasm';
import wasm from './stock.wasm';
import model from './model.bin';

WebAssembly.instantiate = (_, imports) =>
  Promise.resolve({ module: wasm, instance: new WebAssembly.Instance(wasm, imports) });
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmBinary = new ArrayBuffer(8);
ort.env.logLevel = 'fatal';

export const createSession = () => ort.InferenceSession.create(new Uint8Array(model), { logSeverityLevel: 4 });

export async function infer(session, data) {
  const { logits } = await session.run({ pixels: new ort.Tensor('float32', data, [1, 1, 28, 28]) });
  return logits.data;
}
