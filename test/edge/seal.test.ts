import { describe, expect, it } from 'vitest';

import { planSealing, sealedBytes } from '../../exporter/edge/stages/seal.ts';
import { granuleBytes } from '../../exporter/edge/stages/trace.ts';

/** A heap that starts at 64, with blocks of 24 bytes at 80, 112, …, each preceded by the allocator's header. */
const memory = new Uint8Array(512);
const words = new Uint32Array(memory.buffer);
const inUse = 3;
const blocks = [80, 112, 144, 176, 208];
for (const address of blocks) words[address / 4 - 1] = 32 | inUse;
const allocation = (address: number) => ({ address, size: 24 });

function planned(calls: readonly number[], marks: Uint8Array, after = memory): readonly number[] {
  const snapshot = { memory, heapStart: 64, globals: new Map() };
  return [...planSealing(snapshot, calls.map(allocation), { reads: marks, memory: after })];
}

describe('planSealing', () => {
  const untouched = new Uint8Array(512 / granuleBytes);

  it('seals what nothing reads or writes', () => {
    expect(planned(blocks, untouched)).toEqual([1, 1, 1, 1, 1]);
  });

  it('leaves what a case read', () => {
    const marks = untouched.slice();
    marks[112 / granuleBytes] = 1;
    expect(planned(blocks, marks)).toEqual([1, 0, 1, 1, 1]);
  });

  it('leaves what a case wrote', () => {
    const after = memory.slice();
    after[150] = 1;
    expect(planned(blocks, untouched, after)).toEqual([1, 1, 0, 1, 1]);
  });

  it('takes the last of several calls that were given the same block', () => {
    expect(planned([80, 112, 80], untouched)).toEqual([0, 1, 1]);
  });

  it('leaves static data, and blocks that were freed or resized since', () => {
    const [free, small] = [32 | 1, 16 | inUse];
    words[176 / 4 - 1] = free;
    words[208 / 4 - 1] = small;
    expect(planned([16, 176, 208], untouched)).toEqual([0, 0, 0]);
    words[176 / 4 - 1] = words[208 / 4 - 1] = 32 | inUse;
  });

  it('makes room for what it seals', () => {
    const calls = Uint8Array.from(blocks, () => 1);
    expect(sealedBytes(calls, blocks.map(allocation))).toBeGreaterThanOrEqual(blocks.length * 24);
  });
});
