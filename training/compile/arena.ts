/**
 * The memory plan: an address for every buffer, fixed when the model is compiled. Two buffers share memory where one is read for the
 * last time before the other is written.
 *
 *     │ numbers of the model │ inputs, outputs, and all between, as they come and go │
 *     0 1024                 ▲ arena
 */
import type { Buffer } from './buffer.ts';
import { Stored } from './buffer.ts';
import type { Kernel } from './kernels/kernel.ts';

/** From the first to the last step that needs the buffer, both included. */
interface Lifetime {
  readonly buffer: Buffer;
  readonly from: number;
  readonly to: number;
}

export interface MemoryPlan {
  readonly addresses: ReadonlyMap<Buffer, number>;
  readonly stored: readonly Stored[];
  readonly arenaBytes: number;
  readonly bytes: number;
}

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** What is below traps nowhere, yet no address of ours is 0. */
const start = 1024;

/**
 * @param inputs written before the first step
 * @param outputs read after the last
 */
export function planMemory(
  kernels: readonly Kernel[],
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
): MemoryPlan {
  const lifetimes = lifetimesOf(kernels, inputs, outputs);
  const stored = [...lifetimes.keys()].filter((buffer) => buffer instanceof Stored);
  const addresses = new Map<Buffer, number>();
  let end = start;
  for (const buffer of stored) {
    addresses.set(buffer, end);
    end = align(end + buffer.bytes);
  }
  const arenaBytes = pack(
    [...lifetimes.values()].filter(({ buffer }) => !(buffer instanceof Stored)),
    end,
    addresses,
  );
  return { addresses, stored, arenaBytes, bytes: end + arenaBytes };
}

function lifetimesOf(
  kernels: readonly Kernel[],
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
): ReadonlyMap<Buffer, Lifetime> {
  const lifetimes = new Map<Buffer, Lifetime>();
  const need = (buffer: Buffer, step: number): void => {
    const { from, to } = lifetimes.get(buffer) ?? { from: step, to: step };
    lifetimes.set(buffer, { buffer, from: Math.min(from, step), to: Math.max(to, step) });
  };
  for (const buffer of inputs) need(buffer, -1);
  kernels.forEach(({ reads, writes }, step) => {
    for (const buffer of [...reads, writes]) need(buffer, step);
  });
  for (const buffer of outputs) need(buffer, kernels.length);
  return lifetimes;
}

/** The largest first, each into the lowest gap among those that live while it does. */
function pack(lifetimes: readonly Lifetime[], base: number, addresses: Map<Buffer, number>): number {
  const placed: (Lifetime & { readonly start: number; readonly end: number })[] = [];
  for (const lifetime of lifetimes.toSorted((a, b) => b.buffer.bytes - a.buffer.bytes)) {
    const beside = placed
      .filter(({ from, to }) => from <= lifetime.to && lifetime.from <= to)
      .sort((a, b) => a.start - b.start);
    const size = align(lifetime.buffer.bytes);
    let at = base;
    for (const { start: taken, end } of beside) {
      if (at + size <= taken) break;
      at = Math.max(at, end);
    }
    placed.push({ ...lifetime, start: at, end: at + size });
    addresses.set(lifetime.buffer, at);
  }
  return Math.max(base, ...placed.map(({ end }) => end)) - base;
}
