/** ONNX Runtime's CPU kernels, on threads of this process. */
import type { InferenceSession } from 'onnxruntime-node';
import { availableParallelism } from 'node:os';
import { encodeModel } from '../graph/index.ts';
import { lower } from '../lowering/index.ts';
import type { Backend } from './backend.ts';
import { importNative } from './import-native.ts';
import { openSession } from './runtime.ts';
import { threadsFor } from './work.ts';

export interface NativeOptions {
  /** Threads inside one op; when omitted, as many as a graph has work for. Results are bit-identical for the same number only. */
  readonly threads?: number | undefined;
  /** Threads wait for work in a busy loop: faster on an idle machine, far slower on a shared one. */
  readonly spinning?: boolean | undefined;
}

/** @throws BackendUnavailable where ONNX Runtime has no native binary */
export async function nativeBackend({ threads, spinning = false }: NativeOptions = {}): Promise<Backend> {
  const ort = await importNative('native');
  const cores = availableParallelism();
  const open = (file: Uint8Array, graphThreads: number) =>
    openSession(ort, file, sessionOptions(graphThreads, spinning));
  return {
    name: 'native',
    engine: `onnxruntime-node ${ort.env.versions.node ?? 'unknown'}, ${threads ?? `at most ${cores}`} threads${spinning ? ', spinning' : ''}`,
    createSession: (graph) => open(encodeModel(lower(graph, 'native')), threads ?? threadsFor(graph, cores)),
    loadSession: (file) => open(file, threads ?? cores),
  };
}

const sessionOptions = (threads: number, spinning: boolean): InferenceSession.SessionOptions => ({
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
});
