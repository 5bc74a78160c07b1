/**
 * Copies tensors into the device's memory and back. ONNX Runtime's Node binding has no function for it, and `getData`
 * of a tensor on the device aborts the process. So a graph that copies its input does it, with its output on the other
 * side.
 */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { encodeModel, graphBuilder, type Tensor } from '../../graph/index.ts';
import { fromOrt, type Runtime, toOrt } from '../runtime.ts';

export interface DeviceMemory {
  readonly upload: (tensor: Tensor) => Promise<OrtTensor>;
  readonly download: (tensor: OrtTensor) => Promise<Tensor>;
  readonly release: () => Promise<void>;
}

type Location = 'gpu-buffer' | 'cpu';

export function deviceMemory(runtime: Runtime, options: InferenceSession.SessionOptions): DeviceMemory {
  const sessions = new Map<string, Promise<InferenceSession>>();
  const copy = async (tensor: OrtTensor, to: Location): Promise<OrtTensor> => {
    const key = `${tensor.type}, rank ${tensor.dims.length}, to ${to}`;
    const session = sessions.get(key) ?? copySession(runtime, options, tensor, to);
    sessions.set(key, session);
    // If the session could not be opened, the next copy tries again.
    session.catch(() => sessions.delete(key));
    const { copied } = await (await session).run({ tensor });
    return copied as OrtTensor;
  };
  return {
    upload: (tensor) => copy(toOrt(runtime, tensor), 'gpu-buffer'),
    download: async (tensor) => fromOrt('state', await copy(tensor, 'cpu')),
    release: async () => {
      await Promise.all([...sessions.values()].map(async (session) => (await session).release()));
    },
  };
}

/** Opens a session that copies tensors of this type and rank, whatever their shape. */
function copySession(
  { InferenceSession }: Runtime,
  options: InferenceSession.SessionOptions,
  { type, dims }: OrtTensor,
  location: Location,
): Promise<InferenceSession> {
  const g = graphBuilder();
  const tensor = g.input('tensor', { dtype: type as Tensor['dtype'], shape: dims.map((_, axis) => `size${axis}`) });
  const graph = g.build('copy', { copied: g.Identity(tensor) });
  return InferenceSession.create(encodeModel(graph), { ...options, preferredOutputLocation: { copied: location } });
}
