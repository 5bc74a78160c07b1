/**
 * Takes the state of a booted instance: its memory, with everything that is free or dead set to zero, and its mutable
 * globals. Zeroing makes the image small, and changes nothing that a program may read.
 */

import type { Booted } from './boot.ts';
import type { Runtime } from '../bundle.ts';
import { largestBlock, takeFreeHeap } from './free-heap.ts';
import type { OrtInstance } from '../runtime/index.ts';

export interface Snapshot {
  /** `memory` begins at address 0 and is a whole number of pages. */
  readonly memory: Uint8Array;
  /** The address at which the heap begins; below it are static data and the stack. */
  readonly heapStart: number;
  /** Maps the numbers of the mutable globals to their values. */
  readonly globals: ReadonlyMap<number, number | bigint>;
}

export function takeSnapshot(runtime: Runtime, booted: Booted): Snapshot {
  zeroFreeHeap(runtime, booted.instance);
  return copyState(booted, booted.instance.heap.bytes.length);
}

/**
 * Takes the snapshot of a boot with sealed blocks, and leaves these out.
 *
 * @param whole snapshot of the boot without sealing
 */
export function takeSealedSnapshot(booted: Booted, whole: Snapshot): Snapshot {
  const sealed = copyState(booted, whole.memory.length);
  const rest = booted.instance.heap.bytes.subarray(whole.memory.length, whole.memory.length + largestBlock);
  if (rest.some((byte) => byte !== 0)) throw new Error('internal: expected a heap no larger than without sealing');
  for (const [index, value] of whole.globals) {
    if (sealed.globals.get(index) !== value) throw new Error(`internal: expected global ${index} to be ${value}`);
  }
  return sealed;
}

function copyState({ instance, globals }: Booted, bytes: number): Snapshot {
  const values = new Map([...globals].map(([index, global]) => [index, global.value]));
  zeroDeadStack(instance, [...values.values()].map(Number));
  return { memory: instance.heap.bytes.slice(0, bytes), heapStart: instance.ort.stackSave(), globals: values };
}

/** The minimum size of the allocator's blocks. Bytes. */
const smallestBlock = 8;

/** Allocates everything that is free while growth is forbidden, zeroes it and frees it again. */
function zeroFreeHeap(runtime: Runtime, { ort, heap }: OrtInstance): void {
  runtime.capMemory(heap.memory, 0);
  const blocks = takeFreeHeap(ort, smallestBlock);
  for (const { block, size } of blocks) heap.bytes.fill(0, block, block + size);
  for (const { block } of blocks) ort._free(block);
  runtime.capMemory(heap.memory, runtime.memoryCapPages);
}

/**
 * Zeroes the unused part of the stack. The stack grows down: memory between its end and the stack pointer belongs to
 * calls that have returned. The end is one of the globals, the greatest below the stack pointer; the others are
 * addresses of static data, which comes first.
 */
function zeroDeadStack({ ort, heap }: OrtInstance, globals: readonly number[]): void {
  const pointer = ort.stackSave();
  const end = Math.max(...globals.filter((value) => value < pointer));
  if (heap.bytes.subarray(end, end + (pointer - end) / 2).some((byte) => byte !== 0)) {
    throw new Error(`snapshot: expected the stack to end at ${end}, got data there`);
  }
  heap.bytes.fill(0, end, pointer);
}
