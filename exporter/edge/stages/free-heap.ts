/** Allocates everything that is free in a heap, without letting the heap grow. */

import type { OrtModule, Pointer } from '../runtime/index.ts';

/** A block that has been taken. */
export interface Taken {
  readonly block: Pointer;
  readonly size: number;
}

/** The block size to try first. It also limits how far beyond a snapshot's end the heap can be in use. Bytes. */
export const largestBlock = 8 * 1024 * 1024;

/**
 * Allocates all that is free, in blocks of `smallest` bytes or more. Memory must be capped, or it would grow.
 *
 * @param smallest a power of two
 */
export function takeFreeHeap(ort: Pick<OrtModule, '_malloc'>, smallest: number): readonly Taken[] {
  const taken: Taken[] = [];
  for (let size = largestBlock; size >= smallest; size /= 2) {
    for (let block = ort._malloc(size); block !== 0; block = ort._malloc(size)) taken.push({ block, size });
  }
  return taken;
}
