/**
 * What an answer costs at least: a Worker that reads a request and returns the right JSON without computing it, and one
 * that runs the bare session without reading anything. `POST /answer` and `POST /runs/<count>`.
 */
import model from '../../../../dist/models/mnist-cnn/model.onnx';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm';
import { bootRuntime } from '../../../../worker/runtime.ts';
import { createSession } from '../../../../worker/session.ts';
import type { Tensor } from '../../../../worker/datatypes.ts';

const session = createSession(await bootRuntime(wasm), new Uint8Array(model));
const pixels: Tensor = {
  datatype: 'FP32',
  shape: [1, 1, 28, 28],
  data: Float32Array.from({ length: 784 }, (_, i) => i % 256),
};

const answer = {
  model_name: 'mnist-cnn',
  model_version: '1',
  outputs: [{ name: 'logits', datatype: 'FP32', shape: [1, 10], data: run() }],
};

function run(): number[] {
  return Array.from(session.run(new Map([['pixels', pixels]]), ['logits']).get('logits')?.data ?? [], Number);
}

export default {
  async fetch(request) {
    const [, runs] = /^\/runs\/(\d{1,4})$/.exec(new URL(request.url).pathname) ?? [];
    for (let i = 0; i < Number(runs ?? 0); i++) run();
    await request.arrayBuffer();
    return Response.json(answer);
  },
} satisfies ExportedHandler;
