/** What ONNX Runtime's packages have in common: sessions and tensors of one JavaScript interface. */
import type { InferenceSession, InferenceSessionFactory, OnnxValue, Tensor as OrtTensor } from 'onnxruntime-node';
import { type DataOf, type DType, isDType, type Tensor } from '../graph/index.ts';
import type { BoundSession, NamedTensors, Session } from './backend.ts';

/** The part of `onnxruntime-node` and of `onnxruntime-web` that backends use. */
export interface Runtime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: new (type: DType, data: DataOf[DType], dims: readonly number[]) => OrtTensor;
}

/** A session that takes and gives tensors in the memory of this process. */
export async function openSession(
  runtime: Runtime,
  file: Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<Session> {
  const session = await runtime.InferenceSession.create(file, options);
  return {
    run: async (feeds) => {
      const results = await session.run(mapValues(feeds, (tensor) => toOrt(runtime, tensor)));
      return mapValues(results, (tensor, name) => fromOrt(name, tensor));
    },
    release: () => session.release(),
  };
}

/** Arrays of the caller's that a session is bound to. */
export interface Bound {
  readonly inputs: NamedTensors;
  readonly outputs: NamedTensors;
}

/** Runs a session of the file that is to be bound; what it does not write into `fetches`, it gives. */
export type RunBound = (
  session: InferenceSession,
  feeds: Readonly<Record<string, OrtTensor>>,
  fetches: Readonly<Record<string, OrtTensor>>,
) => Promise<InferenceSession.OnnxValueMapType>;

/** A session that takes no feeds, since it is bound to its tensors. */
export async function openBoundSession(
  runtime: Runtime,
  file: Uint8Array,
  options: InferenceSession.SessionOptions,
  { inputs, outputs }: Bound,
  run: RunBound = (session, feeds) => session.run(feeds),
): Promise<BoundSession> {
  const session = await runtime.InferenceSession.create(file, options);
  const feeds = mapValues(inputs, (tensor) => toOrt(runtime, tensor));
  const fetches = mapValues(outputs, (tensor) => toOrt(runtime, tensor));
  return {
    run: async () => {
      for (const [name, { data }] of Object.entries(await run(session, feeds, fetches))) {
        // Of the same type as the graph's output, which both are.
        (outputs[name]?.data as Float32Array | undefined)?.set(data as Float32Array);
      }
    },
    release: () => session.release(),
  };
}

export function toOrt({ Tensor }: Runtime, { dtype, data, shape }: Tensor): OrtTensor {
  return new Tensor(dtype, data, shape);
}

export function fromOrt(name: string, { type, data, dims }: OnnxValue): Tensor {
  if (!isDType(type)) throw new Error(`internal: ${name} has the unexpected type ${type}`);
  return { dtype: type, shape: dims, data } as Tensor;
}

const mapValues = <From, To>(record: Readonly<Record<string, From>>, map: (value: From, key: string) => To) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
