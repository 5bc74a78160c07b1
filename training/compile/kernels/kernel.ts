/** A step of the program: what it reads and writes, and its code once every buffer has its address. */
import type { Blocked, Buffer, Plain } from '../buffer.ts';
import type { Code, Wat } from '../wat.ts';
import type { Part } from './part.ts';

/** The address of a buffer. */
export type AddressOf = (buffer: Buffer) => number;

/** Adds a function to the module, or finds the one with the same code; returns its name. */
export type Define = (hint: string, code: Code) => string;

export interface Emit {
  readonly at: AddressOf;
  readonly define: Define;
  /** acc + a · b, rounded twice, or once where the build allows it. */
  readonly madd: (acc: Wat, a: Wat, b: Wat) => Wat;
  /** Which part is to be done, of a kernel that says how much it is; all of any other. */
  readonly part: Part;
}

export interface Kernel {
  /** The node it is for, and what it does. */
  readonly about: string;
  readonly reads: readonly Buffer[];
  readonly writes: readonly (Plain | Blocked)[];
  /** Those it reads in whose place it may write what it writes: each number is read before the one in its place is written. */
  readonly overwrites?: readonly Buffer[];
  /** How many numbers it goes through, where several threads can do a part of it each; otherwise one does all. */
  readonly work?: number;
  /** The calls that perform it. */
  readonly emit: (context: Emit) => readonly Wat[];
}
