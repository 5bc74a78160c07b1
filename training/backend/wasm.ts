/**
 * Runs graphs with ONNX Runtime's CPU kernels compiled to WebAssembly: slower than native, but the same on every
 * machine.
 */
import { encodeModel } from '../graph/index.ts';
import { lower } from '../lowering/index.ts';
import type { Backend } from './backend.ts';
import { openBoundSession, openSession } from './runtime.ts';
import { threadCount } from './work.ts';

export interface WasmOptions {
  /** The number of threads. ONNX Runtime Web starts them once, so the first backend of a process decides. */
  readonly threads?: number | undefined;
}

export async function wasmBackend({ threads = 1 }: WasmOptions = {}): Promise<Backend> {
  const ort = await import('onnxruntime-web');
  ort.env.wasm.numThreads = threads;
  const options = { executionProviders: ['wasm'], logSeverityLevel: 3 } as const;
  const loadSession = (file: Uint8Array) => openSession(ort, file, options);
  return {
    name: 'wasm',
    engine: `onnxruntime-web ${ort.env.versions.web ?? 'unknown'}, WebAssembly, ${threadCount(threads)}`,
    isCpu: true,
    threadsOf: () => threads,
    createSession: (graph) => loadSession(encodeModel(lower(graph, 'wasm'))),
    bindSession: (graph, inputs, outputs) =>
      openBoundSession(ort, encodeModel(lower(graph, 'wasm')), options, { inputs, outputs }),
    loadSession,
  };
}
