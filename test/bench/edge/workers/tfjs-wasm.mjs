/**
 * Serves TensorFlow.js on its WebAssembly backend. Its glue would fetch and compile the module; here it receives the
 * imported one.
 */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { serve } from './handler.mjs';
import wasm from './tfjs.wasm';
import { createModel } from './tfjs-model.mjs';

let predict;

async function create() {
  setWasmPaths('https://unused.invalid/', true);
  tf.env().set('WASM_HAS_SIMD_SUPPORT', true);
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  const { fetch } = globalThis;
  const { instantiate } = WebAssembly;
  globalThis.fetch = () => Promise.resolve({ ok: true, arrayBuffer: () => Promise.resolve(new ArrayBuffer(8)) });
  WebAssembly.instantiate = (_, imports) =>
    Promise.resolve({ module: wasm, instance: new WebAssembly.Instance(wasm, imports) });
  try {
    await tf.setBackend('wasm');
  } finally {
    globalThis.fetch = fetch;
    WebAssembly.instantiate = instantiate;
  }
  return createModel();
}

export default serve(async (data) => (predict ??= await create())(data));
