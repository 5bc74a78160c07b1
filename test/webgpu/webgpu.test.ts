/** The suite of every backend on WebGPU: a GPU, or a software adapter such as SwiftShader. */
import { describe, expect, test } from 'vitest';
import { type Backend, BackendUnavailable, nativeBackend, type WebgpuBackend } from '../../training/backend/index.ts';
import { describeEpochs, describeOps, describeTraining } from '../backends/conformance.ts';
import { describePublishedBatchNorm } from '../backends/published-batch-norm.ts';
import { anyAdapter } from './any-adapter.ts';

const webgpu = await anyAdapter();

if (webgpu instanceof BackendUnavailable) describe.skip(webgpu.message, skipped);
else describeWebgpu(webgpu, await nativeBackend({ threads: 1 }));

function describeWebgpu(backend: WebgpuBackend, native: Backend): void {
  test('names its adapter', () => {
    expect(backend.engine).toMatch(/^onnxruntime-node \d+\.\d+\.\d+, WebGPU on .+/);
  });
  describeOps(backend, backend.adapter.software ? 'WebGPU in software' : 'WebGPU on a GPU');
  describePublishedBatchNorm(backend);
  describeTraining(backend, native);
  describeEpochs(backend, native);
}

function skipped(): void {
  // The reporter names a skipped suite only when it is asked to.
  console.warn(`the webgpu suite is skipped: ${(webgpu as Error).message}`);
  test.todo('every op and real training');
}
