/** Where graphs run. A backend turns an ONNX model into a session; a session maps named tensors to named tensors. */
import type { Tensor } from '../graph/index.ts';

export type NamedTensors = Readonly<Record<string, Tensor>>;

export interface Session {
  readonly run: (feeds: NamedTensors) => Promise<NamedTensors>;
  readonly release: () => Promise<void>;
}

export interface Backend {
  readonly name: string;
  /** The engine and its version, for the record of a run. */
  readonly engine: string;
  readonly createSession: (model: Uint8Array) => Promise<Session>;
}
