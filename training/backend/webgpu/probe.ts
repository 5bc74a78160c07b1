/**
 * Computes one addition with ONNX Runtime's WebGPU provider, as a program of its own. It fails, crashes or hangs in
 * place of the process that looks for an adapter.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { encodeModel, graphBuilder } from '../../graph/index.ts';

const g = graphBuilder();
const x = g.input('x', { dtype: 'float32', shape: [1] });
const session = await InferenceSession.create(encodeModel(g.build('probe', { y: g.Add(x, x) })), {
  executionProviders: ['webgpu'],
  logSeverityLevel: 3,
});
await session.run({ x: new Tensor('float32', Float32Array.of(1), [1]) });
