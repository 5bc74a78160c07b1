/** What of an image's memory is whose. */

import type { Booted } from './boot.ts';
import type { Snapshot } from './snapshot.ts';

/** Whether memory is in a block that creating one of some sessions has allocated, and nothing later has. */
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

/** What the allocator aligns blocks to, at least. Bytes. */
const grain = 8;

/**
 * By session: what its creation has left in the snapshot, which is weights, graph and kernels. Memory belongs to the last block
 * that was allocated there, also where that was cut to size or freed since: what is free is zero, and costs nothing.
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
  return Object.fromEntries(sessions.map(([name], i) => [name, shares[i] ?? new Uint8Array()]));
}

/** In one pass over memory, of which many sessions have a little each. @param owners 0 for nobody, then 1 to `count` */
function sharesOf(memory: Uint8Array, owners: Uint16Array, count: number): readonly Uint8Array[] {
  const grains = new Uint32Array(count + 1);
  for (const owner of owners) grains[owner] = (grains[owner] ?? 0) + 1;
  const shares = Array.from({ length: count }, (_, i) => new Uint8Array(grain * (grains[i + 1] ?? 0)));
  const ends = new Uint32Array(count);
  owners.forEach((owner, at) => {
    const share = shares[owner - 1];
    if (!share) return;
    const end = ends[owner - 1] ?? 0;
    share.set(memory.subarray(grain * at, grain * (at + 1)), end);
    ends[owner - 1] = end + grain;
  });
  return shares;
}
