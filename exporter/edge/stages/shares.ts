/** Attributes parts of an image's memory to sessions. */

import { at, present } from '../../../training/arrays/index.ts';
import type { Booted } from './boot.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Returns a predicate that is true for memory in a block that was allocated by the creation of one of these sessions,
 * and by nothing later.
 */
export function ownershipOf(
  { allocations, created }: Pick<Booted, 'allocations' | 'created'>,
  sessions: readonly string[],
): (address: number, bytes: number) => boolean {
  const blocks = allocations();
  const ranges = sessions.flatMap((name) => created[name] ?? []);
  return (address, bytes) => {
    const call = blocks.findLastIndex(
      (block) => block.address <= address && address + bytes <= block.address + block.size,
    );
    return ranges.some(({ first, end }) => call >= first && call < end);
  };
}

/** The minimum alignment of the allocator's blocks. Bytes. */
const grain = 8;

/**
 * Returns, by session, what its creation has left in the snapshot: weights, graph and kernels. Memory belongs to the
 * last block that was allocated there, even if that block was later shrunk or freed: free memory is zero, and costs
 * nothing.
 */
export function sessionShares(
  { memory }: Pick<Snapshot, 'memory'>,
  booted: Booted,
): Readonly<Record<string, Uint8Array>> {
  const sessions = Object.entries(booted.created);
  const owners = new Uint16Array(memory.length / grain);
  booted.allocations().forEach(({ address, size }, call) => {
    const owner = sessions.findIndex(([, { first, end }]) => call >= first && call < end);
    owners.fill(owner + 1, address / grain, Math.ceil((address + size) / grain));
  });
  const shares = sharesOf(memory, owners, sessions.length);
  return Object.fromEntries(sessions.map(([name], i) => [name, at(shares, i)]));
}

/**
 * Collects all shares in one pass over memory, of which many sessions have a little each.
 *
 * @param owners one for each grain: 0 for none, then 1 to `count`
 */
function sharesOf(memory: Uint8Array, owners: Uint16Array, count: number): readonly Uint8Array[] {
  const grains = new Uint32Array(count + 1);
  for (const owner of owners) grains[owner] = present(grains[owner]) + 1;
  const shares = Array.from({ length: count }, (_, i) => new Uint8Array(grain * at(grains, i + 1)));
  const ends = new Uint32Array(count);
  owners.forEach((owner, i) => {
    if (owner === 0) return;
    const end = present(ends[owner - 1]);
    present(shares[owner - 1]).set(memory.subarray(grain * i, grain * (i + 1)), end);
    ends[owner - 1] = end + grain;
  });
  return shares;
}
