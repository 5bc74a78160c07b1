/**
 * Plans the memory: every buffer gets an address when the model is compiled. Two buffers share memory where one is read
 * for the last time before the other is written.
 *
 *     │ numbers of the model │ inputs, outputs, and all between, as they come and go │
 *     0 1024                 ▲ arena
 */
import { present } from '../arrays/index.ts';
import { type Buffer, Stored } from './buffer.ts';
import { type CompactType, compacted } from './compact-weights.ts';
import type { Expansion } from './kernels/expand-weights.ts';
import type { Kernel } from './kernels/kernel.ts';
import { aligned, type Lifetime, packed } from './lifetimes.ts';

/** Bytes that are in memory when the program starts. */
export interface Segment {
  readonly address: number;
  readonly data: Uint8Array;
}

export interface MemoryPlan {
  readonly addresses: ReadonlyMap<Buffer, number>;
  readonly segments: readonly Segment[];
  /** The weights that are expanded to single precision before the first run. */
  readonly expansions: readonly Expansion[];
  readonly arenaBytes: number;
  readonly bytes: number;
}

/** The first address in use. Lower addresses would not trap, but no buffer may have the address 0. */
const start = 1024;

export interface PlanOptions {
  /** The type that weights are stored as. Default: single precision. */
  readonly compact?: CompactType | undefined;
  /** Maps buffers to others whose memory they use, which exist from the first step to the last. */
  readonly aliases?: ReadonlyMap<Buffer, Buffer>;
}

/**
 * Plans the memory of a program.
 *
 * @param inputs written before the first step
 * @param outputs read after the last
 */
export function planMemory(
  kernels: readonly Kernel[],
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
  { compact, aliases = new Map() }: PlanOptions = {},
): MemoryPlan {
  const lifetimes = lifetimesOf(kernels, inputs, outputs, aliases);
  const stored = [...lifetimes.keys()].filter((buffer) => buffer instanceof Stored);
  const addresses = new Map<Buffer, number>();
  const segments: Segment[] = [];
  const expansions: Expansion[] = [];
  let end = start;
  const reserve = (bytes: number): number => {
    const address = end;
    end = aligned(end + bytes);
    return address;
  };
  const place = (data: Uint8Array): number => {
    const address = reserve(data.length);
    if (data.length > 0) segments.push({ address, data });
    return address;
  };
  for (const buffer of stored) {
    const address = reserve(buffer.bytes);
    addresses.set(buffer, address);
    const compressed = compact && compacted(buffer, compact);
    if (!compressed) segments.push({ address, data: buffer.data });
    else {
      const { type, numbers, scales } = compressed;
      const places = { from: place(numbers), scales: place(new Uint8Array(scales.buffer)), to: address };
      expansions.push({ type, sections: buffer.sections, ...places });
    }
  }
  const arena = packed(
    [...lifetimes.values()].filter(({ key }) => !(key instanceof Stored)),
    end,
  );
  for (const [buffer, address] of arena.addresses) addresses.set(buffer, address);
  for (const [buffer, other] of aliases) addresses.set(buffer, present(addresses.get(other)));
  return { addresses, segments, expansions, arenaBytes: arena.end - end, bytes: arena.end };
}

function lifetimesOf(
  kernels: readonly Kernel[],
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
  aliases: ReadonlyMap<Buffer, Buffer>,
): ReadonlyMap<Buffer, Lifetime<Buffer>> {
  const lifetimes = new Map<Buffer, Lifetime<Buffer>>();
  const need = (named: Buffer, step: number): void => {
    const buffer = aliases.get(named) ?? named;
    const { from, to } = lifetimes.get(buffer) ?? { from: step, to: step };
    lifetimes.set(buffer, { key: buffer, bytes: buffer.bytes, from: Math.min(from, step), to: Math.max(to, step) });
  };
  for (const buffer of inputs) need(buffer, -1);
  kernels.forEach(({ reads, writes }, step) => {
    for (const buffer of [...reads, ...writes]) need(buffer, step);
  });
  for (const buffer of outputs) need(buffer, kernels.length);
  return lifetimes;
}
