/** The suite of every backend on WebGPU: a GPU, or a software adapter such as SwiftShader. */
import { describe, expect, test } from 'vitest';
import { type Backend, BackendUnavailable, nativeBackend, type WebgpuBackend } from '../../training/backend/index.ts';
import { opCases } from '../reference/cases/index.ts';
import { describeEpochs, describeOps, describeTraining, type Direction, type OpCase } from '../backends/conformance.ts';
import { describePublishedBatchNorm } from '../backends/published-batch-norm.ts';
import { anyAdapter } from './any-adapter.ts';

const webgpu = await anyAdapter();

if (webgpu instanceof BackendUnavailable) describe.skip(webgpu.message, skipped);
else describeWebgpu(webgpu, await nativeBackend({ threads: 1 }));

function describeWebgpu(backend: WebgpuBackend, native: Backend): void {
  test('names its adapter', () => {
    expect(backend.engine).toMatch(/^onnxruntime-node \d+\.\d+\.\d+, WebGPU on .+/);
  });
  describeOps(
    backend,
    (row, direction) => unsupported(row, direction) ?? (backend.adapter.software ? tooSlow(row) : undefined),
  );
  describePublishedBatchNorm(backend);
  describeTraining(backend, native);
  describeEpochs(backend, native);
}

function unsupported({ op }: OpCase, direction: Direction): string | undefined {
  return op === 'MaxPool' && direction === 'forward' ? 'gives no Indices; the gradient does without' : undefined;
}

/** The ops that are run in other ops: all their cases count. */
const rewritten = new Set<OpCase['op']>(['BatchNormalization', 'ConvTranspose', 'MaxPool', 'SoftmaxCrossEntropyLoss']);

function tooSlow(row: OpCase): string | undefined {
  const first = opCases.find(({ op }) => op === row.op);
  return row === first || rewritten.has(row.op) ? undefined : 'a software adapter runs the first case of each op';
}

function skipped(): void {
  // The reporter names a skipped suite only when it is asked to.
  console.warn(`the webgpu suite is skipped: ${(webgpu as Error).message}`);
  test('every op and real training', () => undefined);
}
