/**
 * Puts a wrapper around the allocator of the instrumented module: it writes down every call, and takes the blocks that a
 * plan names from a region of their own, which the image will not have: there, every access traps.
 */

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

/** Export names: how many calls there were; the region's next address. Plan and log of the calls are notes. */
export const allocationExports = { count: 'allocations.count', next: 'allocations.next' } as const;

/** Where the region begins: far above what an image's memory may grow to. */
export const sealedStart = 2 ** 30;

/** Most calls that there is room to write down. */
const capacity = 2 ** 22;
/** Of notes: a byte of plan for each call, then address and size of each. */
export const allocationPages = (capacity * 9) / 65_536;

/** A block as the log has it. `size` is what was asked for. */
export interface Allocation {
  readonly address: number;
  readonly size: number;
}

/** Which blocks are to be sealed off. */
export interface SealingPlan {
  /** By call: 1 if its block is. */
  readonly calls: Uint8Array;
  /** Room that they take together. */
  readonly bytes: number;
}

/** The calls so far, in order. To be read before the log is full: from then on the last place is written again and again. */
export function readAllocations(memory: WebAssembly.Memory, count: number): readonly Allocation[] {
  if (count >= capacity - 1)
    throw new Error(`models: expected fewer than ${capacity - 1} allocations at start-up, got more`);
  const words = new Uint32Array(memory.buffer, capacity, 2 * count);
  return Array.from({ length: count }, (_, i) => ({ address: words[2 * i] ?? 0, size: words[2 * i + 1] ?? 0 }));
}

export function writePlan(memory: WebAssembly.Memory, calls: SealingPlan['calls']): void {
  new Uint8Array(memory.buffer).set(calls);
}

/** Distance to the next sealed block: the size, room for a head in front of the next, 16 bytes aligned. */
export function sealedStride(size: number): number {
  return (size + 19) & ~15;
}

/** From size to block. */
export const mallocType: FunctionType = { parameters: [valueType.i32], results: [valueType.i32] };

/**
 * Body of the wrapper.
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

/** Instructions at the start of `free`, after what it does to every block: sealed ones are nothing to the allocator. */
export const ignoreSealed: Code = [
  ...[...localGet(0), ...constant(sealedStart), notLessUnsigned],
  ...[...ifTrue, leave, end],
];

const store = [0x36, 0x02, 0x00];
