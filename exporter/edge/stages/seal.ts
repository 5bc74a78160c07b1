/**
 * Finds blocks of the heap that creating the sessions has left there and that no case reads or writes. In a second boot,
 * which makes the same allocations, `malloc` returns addresses outside the image's memory for them. An input that needs
 * such a block after all traps, as with a function that was cut away; it never reads anything else.
 */

import { at } from '../../../training/arrays/index.ts';
import { sealedStride } from './allocations.ts';
import type { Allocation, SealingPlan } from './allocations.ts';
import { blockSize } from './boot.ts';
import type { Snapshot } from './snapshot.ts';
import { granuleBytes } from './trace.ts';

/** The state after performing every case. */
export interface Traced {
  /** `reads` holds one byte for each granule of memory, not 0 if it has been read. */
  readonly reads: Uint8Array;
  readonly memory: Uint8Array;
}

export function planSealing(
  { memory, heapStart }: Snapshot,
  allocations: readonly Allocation[],
  traced: Traced,
): SealingPlan['calls'] {
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.byteLength / 4);
  const owners = new Map(allocations.map(({ address }, call) => [address, call]));
  const calls = new Uint8Array(allocations.length);
  allocations.forEach(({ address, size }, call) => {
    const newest = owners.get(address) === call && address >= heapStart && address + size <= memory.length;
    if (!newest || !isIntact(words, address, size) || isTouched(traced, memory, address, size)) return;
    calls[call] = 1;
  });
  return calls;
}

/** Counts the bytes that the blocks of a plan need. */
export function sealedBytes(calls: SealingPlan['calls'], allocations: readonly Allocation[]): number {
  const strides = allocations.map(({ size }, call) => (calls[call] === 1 ? sealedStride(size) : 0));
  return strides.reduce((total, stride) => total + stride, sealedStride(0));
}

/**
 * Is true if a block is in use, and as large as when it was allocated: neither freed, nor split or resized by the
 * allocator.
 */
function isIntact(words: Uint32Array, address: number, size: number): boolean {
  const head = at(words, address / 4 - 1);
  const inUse = 2;
  return (head & inUse) !== 0 && blockSize(head) >= size && blockSize(head) <= Math.max(size, 12) + 24;
}

/** Is true if a case has read or written the block. The allocator's own words at both ends do not count. */
function isTouched({ reads, memory: after }: Traced, before: Uint8Array, address: number, size: number): boolean {
  const [first, last] = [Math.floor(address / granuleBytes), Math.ceil((address + size) / granuleBytes)];
  if (reads.subarray(first, last).some((mark) => mark !== 0)) return true;
  return Buffer.compare(before.subarray(address, address + size), after.subarray(address, address + size)) !== 0;
}
