/** ONNX Runtime's CPU kernels compiled to WebAssembly: slower than native, but the same on every machine. */
import { encodeModel } from '../graph/index.ts';
import { lower } from '../lowering/index.ts';
import type { Backend } from './backend.ts';
import { openSession } from './runtime.ts';

export interface WasmOptions {
  /** ONNX Runtime Web starts its threads once: in a process the first backend decides. */
  readonly threads?: number | undefined;
}

export async function wasmBackend({ threads = 1 }: WasmOptions = {}): Promise<Backend> {
  const ort = await import('onnxruntime-web');
  ort.env.wasm.numThreads = threads;
  const loadSession = (file: Uint8Array) =>
    openSession(ort, file, { executionProviders: ['wasm'], logSeverityLevel: 3 });
  return {
    name: 'wasm',
    engine: `onnxruntime-web ${ort.env.versions.web ?? 'unknown'}, WebAssembly, ${threads} threads`,
    createSession: (graph) => loadSession(encodeModel(lower(graph, 'wasm'))),
    loadSession,
  };
}
