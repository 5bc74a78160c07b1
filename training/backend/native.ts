/** ONNX Runtime's CPU kernels, on threads of this process. */
import type { InferenceSession } from 'onnxruntime-node';
import { availableParallelism } from 'node:os';
import { encodeModel } from '../graph/index.ts';
import { lower } from '../lowering/index.ts';
import type { Backend, Session } from './backend.ts';
import { channelBlockOf } from './channel-block.ts';
import { foreignLoad } from './foreign-load.ts';
import { importNative } from './import-native.ts';
import { openSession } from './runtime.ts';
import { waitingAsSuits } from './waiting.ts';
import { threadsFor } from './work.ts';

export interface NativeOptions {
  /** Threads inside one op; when omitted, as many as a graph has work for. Results are bit-identical for the same number only. */
  readonly threads?: number | undefined;
  /** Threads wait for work in a busy loop; when omitted, while nobody else uses the machine. */
  readonly spinning?: boolean | undefined;
}

/** @throws BackendUnavailable where ONNX Runtime has no native binary */
export async function nativeBackend({ threads, spinning }: NativeOptions = {}): Promise<Backend> {
  const ort = await importNative('native');
  const channelBlock = await channelBlockOf(ort);
  const cores = availableParallelism();
  const open = async (file: Uint8Array, graphThreads: number): Promise<Session> => {
    const openWaiting = (busily: boolean) => openSession(ort, file, sessionOptions(graphThreads, busily));
    // One thread never waits for others.
    const wait = graphThreads === 1 ? false : spinning;
    return wait === undefined ? waitingAsSuits(openWaiting, foreignLoad()) : openWaiting(wait);
  };
  return {
    name: 'native',
    engine: `onnxruntime-node ${ort.env.versions.node ?? 'unknown'}, ${threads ?? `at most ${cores}`} threads`,
    createSession: (graph) =>
      open(encodeModel(lower(graph, 'native', { channelBlock })), threads ?? threadsFor(graph, cores)),
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
      // No busy loop between calls.
      force_spinning_stop: '1',
      // Moments that decay towards zero would otherwise become denormal, and every operation on them slow.
      set_denormal_as_zero: '1',
    },
  },
});
