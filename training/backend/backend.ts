/**
 * The interface of backends, which run graphs. A backend turns a graph or an ONNX file into a session; a session maps
 * named tensors to named tensors.
 */
import { UserError } from '../files/index.ts';
import type { Graph, Tensor } from '../graph/index.ts';

export type NamedTensors = Readonly<Record<string, Tensor>>;

export interface Session {
  readonly run: (feeds: NamedTensors) => Promise<NamedTensors>;
  readonly release: () => Promise<void>;
}

/** A session that reads its inputs from the same arrays at every run, and writes its outputs into the same arrays. */
export interface BoundSession {
  readonly run: () => Promise<void>;
  readonly release: () => Promise<void>;
}

/**
 * The ways to take the steps of training: one compiled program, a runtime with a compiled update in place, or the
 * runtime alone in a Loop.
 */
export const stepperNames = ['compiled', 'in-place', 'loop'] as const;
export type StepperName = (typeof stepperNames)[number];

export interface Backend {
  readonly name: string;
  /** The engine and its version, for the record of a run. */
  readonly engine: string;
  /** Opens a session of the graph, lowered to what the backend runs correctly and fast. */
  readonly createSession: (graph: Graph) => Promise<Session>;
  /**
   * Opens a session of the lowered graph over arrays of the caller. Absent where tensors lie outside of the process's
   * memory.
   */
  readonly bindSession?: (graph: Graph, inputs: NamedTensors, outputs: NamedTensors) => Promise<BoundSession>;
  /** Is true when such arrays may lie in memory that threads share. */
  readonly sharesMemory?: boolean;
  /** Is true when the backend runs on the CPU, where compiled programs may take small steps in its place. */
  readonly isCpu?: boolean;
  /** The way to take the steps of training; the one that suits the network when omitted. */
  readonly stepper?: StepperName | undefined;
  /** Receives how a thread that computes rows has ended. The main thread computes all rows from then on. */
  readonly onThreadEnd?: (how: string) => void;
  /** Returns the number of threads that take steps of such a graph. Absent where another device takes them. */
  readonly threadsOf?: (graph: Graph) => number;
  /**
   * Returns the same backend with this number of threads for training steps. Absent where threads cannot be set for one
   * session.
   */
  readonly withStepThreads?: (threads: number) => Backend;
  /** The number of threads that the backend was asked to run on; undefined where it chooses. */
  readonly threads?: number | undefined;
  /** Opens a session of an ONNX file, which runs as it is. */
  readonly loadSession: (file: Uint8Array) => Promise<Session>;
}

/** This machine lacks what the backend needs. The message says what is missing; another backend may run. */
export class BackendUnavailable extends UserError {}
