/** ONNX Runtime's CPU kernels, on threads of this process. */
import type { InferenceSession } from 'onnxruntime-node';
import { availableParallelism } from 'node:os';
import { encodeModel } from '../graph/index.ts';
import { lower } from '../lowering/index.ts';
import type { Backend } from './backend.ts';
import { importNative } from './import-native.ts';
import { openSession } from './runtime.ts';

export interface NativeOptions {
  /** Threads inside one op. Results are bit-identical for the same number only. */
  readonly threads?: number | undefined;
  /** Threads wait for work in a busy loop: faster on an idle machine, far slower on a shared one. */
  readonly spinning?: boolean;
}

/** @throws BackendUnavailable where ONNX Runtime has no native binary */
export async function nativeBackend({
  threads = availableParallelism(),
  spinning = false,
}: NativeOptions = {}): Promise<Backend> {
  const ort = await importNative('native');
  const options: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
    extra: {
      session: {
        intra_op: { allow_spinning: spinning ? '1' : '0' },
        // Moments that decay towards zero would otherwise become denormal, and every operation on them slow.
        set_denormal_as_zero: '1',
      },
    },
  };
  const loadSession = (file: Uint8Array) => openSession(ort, file, options);
  return {
    name: 'native',
    engine: `onnxruntime-node ${ort.env.versions.node ?? 'unknown'}, ${threads} threads`,
    createSession: (graph) => loadSession(encodeModel(lower(graph, 'native'))),
    loadSession,
  };
}
