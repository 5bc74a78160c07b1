/**
 * Runs graphs with ONNX Runtime's WebGPU provider in this process, on Vulkan, Metal or Direct3D, without a browser. It
 * is correct on SwiftShader, a software adapter; its speed on a GPU has not been measured.
 */
import type { InferenceSession } from 'onnxruntime-node';
import { encodeModel } from '../../graph/index.ts';
import { loopStep, lower } from '../../lowering/index.ts';
import type { Backend } from '../backend.ts';
import { importNative } from '../import-native.ts';
import { openSession } from '../runtime.ts';
import { type Adapter, findAdapter } from './adapter.ts';
import { openLoopSession } from './loop-session.ts';

export interface WebgpuBackend extends Backend {
  readonly adapter: Adapter;
}

export interface WebgpuOptions {
  /** The milliseconds until an adapter counts as stalled. */
  readonly timeout?: number;
}

/** @throws BackendUnavailable where there is no working adapter, naming what to install */
export async function webgpuBackend({ timeout = 30_000 }: WebgpuOptions = {}): Promise<WebgpuBackend> {
  const ort = await importNative('webgpu');
  const adapter = await findAdapter(timeout);
  const options: InferenceSession.SessionOptions = { executionProviders: ['webgpu'], logSeverityLevel: 3 };
  const loadSession = (file: Uint8Array) => openSession(ort, file, options);
  return {
    name: 'webgpu',
    engine: `onnxruntime-node ${ort.env.versions.node ?? 'unknown'}, WebGPU on ${adapter.name}`,
    adapter,
    createSession: (graph) => {
      const step = loopStep(graph);
      return step ? openLoopSession(ort, step, options) : loadSession(encodeModel(lower(graph, 'webgpu')));
    },
    loadSession,
  };
}
