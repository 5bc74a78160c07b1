/**
 * Serves stock ONNX Runtime Web through its JavaScript API; the first request creates the session. Workers may not
 * compile WebAssembly, so the API receives a binary that it never reads and an `instantiate` that returns the imported
 * module.
 */
import * as ort from 'onnxruntime-web/wasm';
import wasm from './stock.wasm';
import model from './model.bin';
import { serve, tensors } from './handler.mjs';

WebAssembly.instantiate = (_, imports) =>
  Promise.resolve({ module: wasm, instance: new WebAssembly.Instance(wasm, imports) });
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmBinary = new ArrayBuffer(8);
ort.env.logLevel = 'fatal';

const feeds = Object.fromEntries(
  tensors.map(({ name, shape, data }) => [name, new ort.Tensor('float32', data, shape)]),
);
let session;

export default serve(async () => {
  session ??= await ort.InferenceSession.create(new Uint8Array(model), { logSeverityLevel: 4 });
  return session.run(feeds);
});
