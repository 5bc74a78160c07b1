/** Where graphs run. A backend turns a graph or an ONNX file into a session; a session maps named tensors to named tensors. */
import { UserError } from '../files/index.ts';
import type { Graph, Tensor } from '../graph/index.ts';

export type NamedTensors = Readonly<Record<string, Tensor>>;

export interface Session {
  readonly run: (feeds: NamedTensors) => Promise<NamedTensors>;
  readonly release: () => Promise<void>;
}

/** A session whose tensors lie in the same arrays at every run: it reads what these hold, and writes into them. */
export interface BoundSession {
  readonly run: () => Promise<void>;
  readonly release: () => Promise<void>;
}

/** What can take the steps of training, the whole of one or a part: a compiled program, a program beside the runtime, the runtime alone. */
export const stepperNames = ['compiled', 'in-place', 'loop'] as const;
export type StepperName = (typeof stepperNames)[number];

export interface Backend {
  readonly name: string;
  /** The engine and its version, for the record of a run. */
  readonly engine: string;
  /** Lowers the graph to what the backend runs right and fast. */
  readonly createSession: (graph: Graph) => Promise<Session>;
  /** The same graph as createSession, over arrays of the caller's. Absent where tensors do not lie in the process's memory. */
  readonly bindSession?: (graph: Graph, inputs: NamedTensors, outputs: NamedTensors) => Promise<BoundSession>;
  /** Whether such arrays may lie in a memory that threads share. */
  readonly sharesMemory?: boolean;
  /** Whether it runs on the processor that programs of our own run on, which may then take small steps in its place. */
  readonly isProcessor?: boolean;
  /** What takes the steps of training on it: what suits the network when omitted. */
  readonly stepper?: StepperName | undefined;
  /** How many threads steps of such a graph have. Absent where they are none of the processor's. */
  readonly threadsOf?: (graph: Graph) => number;
  /** The same, but that steps of training have so many threads. Absent where their number cannot be chosen for a session. */
  readonly withStepThreads?: (threads: number) => Backend;
  /** How many threads it was asked to run on; undefined where it chooses. */
  readonly threads?: number | undefined;
  /** Runs an ONNX file as it is. */
  readonly loadSession: (file: Uint8Array) => Promise<Session>;
}

/** This machine lacks what the backend needs; the message says what, and another backend may do. */
export class BackendUnavailable extends UserError {}
