/** ONNX Runtime's CPU kernels, on threads of this process. */
import { availableParallelism } from 'node:os';
import ort from 'onnxruntime-node';
import { bytesPerElement, type DType, encodeModel, type Tensor } from '../graph/index.ts';
import { lower } from '../lowering/index.ts';
import type { Backend, NamedTensors, Session } from './backend.ts';

export interface NativeOptions {
  /** Threads inside one op. Results are bit-identical for the same number only. */
  readonly threads?: number | undefined;
  /** Threads wait for work in a busy loop: faster on an idle machine, far slower on a shared one. */
  readonly spinning?: boolean;
}

export function nativeBackend({ threads = availableParallelism(), spinning = false }: NativeOptions = {}): Backend {
  const options: ort.InferenceSession.SessionOptions = {
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
  const loadSession = async (file: Uint8Array) => openSession(await ort.InferenceSession.create(file, options));
  return {
    name: 'native',
    engine: `onnxruntime-node ${ort.env.versions.node ?? 'unknown'}, ${threads} threads`,
    createSession: (graph) => loadSession(encodeModel(lower(graph, 'native'))),
    loadSession,
  };
}

function openSession(session: ort.InferenceSession): Session {
  return {
    run: async (feeds) => fromOrt(await session.run(toOrt(feeds))),
    release: () => session.release(),
  };
}

function toOrt(tensors: NamedTensors): Record<string, ort.Tensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, data, shape }]) => [name, new ort.Tensor(dtype, data, shape)]),
  );
}

function fromOrt(tensors: Readonly<Record<string, ort.Tensor>>): NamedTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { type, data, dims }]) => {
      if (!isDType(type)) throw new Error(`internal: ${name} has the unexpected type ${type}`);
      return [name, { dtype: type, shape: dims, data } as Tensor];
    }),
  );
}

const isDType = (type: string): type is DType => Object.hasOwn(bytesPerElement, type);
