/** A step of the program: the buffers it reads and writes, and its code once every buffer has its address. */
import type { Blocked, Buffer, Plain } from '../buffer.ts';
import type { Code, Wat } from '../wat.ts';
import type { Part } from './part.ts';

/** Returns the address of a buffer. */
export type AddressOf = (buffer: Buffer) => number;

/** Adds a function to the module, or finds one with the same code, and returns its name. */
export type Define = (hint: string, code: Code) => string;

export interface Emit {
  readonly addressOf: AddressOf;
  readonly define: Define;
  /** Emits acc + a · b, rounded twice, or once where the build allows it. */
  readonly madd: (acc: Wat, a: Wat, b: Wat) => Wat;
  /** The part that the kernel's code covers. A kernel without `work` covers everything. */
  readonly part: Part;
}

export interface Kernel {
  /** The node that the kernel computes, and what it does. */
  readonly about: string;
  readonly reads: readonly Buffer[];
  readonly writes: readonly (Plain | Blocked)[];
  /** The buffers that may share memory with a result: each number is read before the result in its place is written. */
  readonly overwrites?: readonly Buffer[];
  /**
   * The number of elements that the kernel processes, where several threads can share it; absent where one thread does
   * everything.
   */
  readonly work?: number;
  /** Returns the calls that perform the kernel. */
  readonly emit: (context: Emit) => readonly Wat[];
}
