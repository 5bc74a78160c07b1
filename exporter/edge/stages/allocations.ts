/**
 * Wraps the allocator of the instrumented module. The wrapper logs every call, and takes the blocks that a plan names
 * from a separate region. The image will not have that region, so that every access to it traps.
 */

import { at } from '../../../training/arrays/index.ts';
import type { NoteTable } from './notes.ts';
import { concat } from '../wasm/bytes.ts';
import { valueType } from '../wasm/module.ts';
import type { FunctionType } from '../wasm/module.ts';
import {
  add,
  and,
  call,
  constant,
  end,
  globalGet,
  globalSet,
  ifTrue,
  leave,
  lessUnsigned,
  localGet,
  localSet,
  localTee,
  notLessUnsigned,
  or,
  otherwise,
  shiftLeft,
  subtract,
} from '../wasm/code.ts';
import type { Code } from '../wasm/code.ts';

/**
 * Names of exports: the number of calls so far, and the region's next address. Plan and log of the calls are in the
 * notes.
 */
export const allocationExports = { count: 'allocations.count', next: 'allocations.next' } as const;

/** The address at which the region begins: far above the size to which an image's memory may grow. */
export const sealedStart = 2 ** 30;

/** The maximum number of calls that the log has room for. */
const capacity = 2 ** 22;
/** Pages of notes: one byte of plan for each call, then address and size for each. */
export const allocationPages = (capacity * 9) / 65_536;

/** A logged block. `size` is the requested one. */
export interface Allocation {
  readonly address: number;
  readonly size: number;
}

/** Says which blocks are to be sealed. */
export interface SealingPlan {
  /** `calls` holds one byte per call: 1 if its block is to be sealed. */
  readonly calls: Uint8Array;
  /** `bytes` is the size of the sealed blocks together. */
  readonly bytes: number;
}

/**
 * Returns the calls so far, in order.
 *
 * @throws Error if the log is full: from then on each call overwrites its last entry
 */
export function readAllocations(memory: WebAssembly.Memory, count: number): readonly Allocation[] {
  if (count >= capacity - 1)
    throw new Error(`models: expected fewer than ${capacity - 1} allocations at start-up, got more`);
  const words = new Uint32Array(memory.buffer, capacity, 2 * count);
  return Array.from({ length: count }, (_, i) => ({ address: at(words, 2 * i), size: at(words, 2 * i + 1) }));
}

export function writePlan(memory: WebAssembly.Memory, calls: SealingPlan['calls']): void {
  new Uint8Array(memory.buffer).set(calls);
}

/** Returns the distance to the next sealed block: the size and the next block's head, aligned to 16 bytes. */
export function sealedStride(size: number): number {
  return (size + 19) & ~15;
}

/** Takes a size and returns a block. */
export const mallocType: FunctionType = { parameters: [valueType.i32], results: [valueType.i32] };

/**
 * Returns the body of the wrapper.
 *
 * @param original index of the function that allocates
 * @param globals indices of the two exported globals
 */
export function loggedMalloc(
  original: number,
  globals: { readonly count: number; readonly next: number },
  notes: NoteTable,
): Uint8Array {
  const [size, block] = [0, 1];
  const inUse = 3;
  const sealed = [
    ...[...globalGet(globals.next), ...localTee(block), ...constant(4), subtract],
    ...[...localGet(size), ...constant(19), add, ...constant(-16), and, ...constant(inUse), or, ...store],
    ...[...localGet(block), ...localGet(size), ...constant(19), add, ...constant(-16), and, add],
    ...globalSet(globals.next),
  ];
  const logged = (value: number, offset: number) => [
    ...[...globalGet(globals.count), ...constant(3), shiftLeft, ...constant(capacity + offset), add],
    ...[...localGet(value), ...notes.call('writeWord')],
  ];
  return concat([
    [1, 1, valueType.i32],
    [...globalGet(globals.count), ...notes.call('readByte'), ...ifTrue],
    sealed,
    [otherwise, ...localGet(size), ...call(original), ...localSet(block), end],
    [...logged(block, 0), ...logged(size, 4)],
    [...globalGet(globals.count), ...globalGet(globals.count), ...constant(capacity - 1), lessUnsigned, add],
    globalSet(globals.count),
    [...localGet(block), end],
  ]);
}

/**
 * Instructions at the start of `free`, after those that zero the block: they return early for sealed blocks, which the
 * allocator does not know.
 */
export const ignoreSealed: Code = [
  ...[...localGet(0), ...constant(sealedStart), notLessUnsigned],
  ...[...ifTrue, leave, end],
];

const store = [0x36, 0x02, 0x00];
