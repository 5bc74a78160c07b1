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
  return Object.fromEntries(sessions.map(([name], i) => [name, shareOf(memory, owners, i + 1)]));
}

function shareOf(memory: Uint8Array, owners: Uint16Array, owner: number): Uint8Array {
  const share = new Uint8Array(grain * owners.reduce((count, one) => count + Number(one === owner), 0));
  let end = 0;
  owners.forEach((one, granule) => {
    if (one !== owner) return;
    share.set(memory.subarray(granule * grain, (granule + 1) * grain), end);
    end += grain;
  });
  return share;
}
