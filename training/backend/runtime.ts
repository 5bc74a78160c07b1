/** Opens sessions through the JavaScript interface that ONNX Runtime's packages share. */
import type { InferenceSession, InferenceSessionFactory, OnnxValue, Tensor as OrtTensor } from 'onnxruntime-node';
import { type DataOf, type DType, isDType, type Tensor } from '../graph/index.ts';
import type { BoundSession, NamedTensors, Session } from './backend.ts';

/** The part of `onnxruntime-node` and of `onnxruntime-web` that backends use. */
export interface Runtime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: new (type: DType, data: DataOf[DType], dims: readonly number[]) => OrtTensor;
}

/** Opens a session that takes and returns tensors in the memory of this process. */
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

/** The caller's arrays that a session is bound to. */
export interface Bound {
  readonly inputs: NamedTensors;
  readonly outputs: NamedTensors;
}

/** Runs a session that is to be bound, and returns the outputs that it has not written into `fetches`. */
export type RunBound = (
  session: InferenceSession,
  feeds: Readonly<Record<string, OrtTensor>>,
  fetches: Readonly<Record<string, OrtTensor>>,
) => Promise<InferenceSession.OnnxValueMapType>;

/** Opens a session that takes no feeds, since it is bound to its tensors. */
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
        // Both arrays have the type of the graph's output.
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
