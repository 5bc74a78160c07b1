/**
 * Measures the least cost of an answer. `POST /answer` reads the bytes of the request, ignores them, and returns the
 * right JSON without computing it. `POST /runs/<count>` also runs the bare session so many times before that, always on
 * the same tensor.
 */
import type { Session, Tensor } from 'bn-edge/worker';
import image from '../../../../.bn-edge/image.mjs';

const session = image.sessions.get('mnist-cnn/model') as Session;
const pixels: Tensor = {
  dtype: 'float32',
  shape: [1, 1, 28, 28],
  data: Float32Array.from({ length: 784 }, (_, i) => i % 256),
};

const answer = {
  model_name: 'mnist-cnn',
  model_version: '1',
  outputs: [{ name: 'logits', datatype: 'FP32', shape: [1, 10], data: run() }],
};

function run(): number[] {
  return Array.from<number | bigint, number>((session.run({ pixels }).logits?.data ?? []) as ArrayLike<number>, Number);
}

export default {
  async fetch(request) {
    const [, runs] = /^\/runs\/(\d{1,4})$/.exec(new URL(request.url).pathname) ?? [];
    for (let i = 0; i < Number(runs ?? 0); i++) run();
    await request.arrayBuffer();
    return Response.json(answer);
  },
} satisfies ExportedHandler;
