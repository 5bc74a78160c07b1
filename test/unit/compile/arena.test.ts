/** The memory plan never places two values that are needed at the same time at overlapping addresses. */
import { describe, expect, it } from 'vitest';
import { planMemory } from '../../../training/compile/arena.ts';
import { type Buffer, Plain, Stored } from '../../../training/compile/buffer.ts';
import type { Kernel } from '../../../training/compile/kernels/kernel.ts';
import { range } from '../../reference/ndarray.ts';
import { seeded } from '../../reference/random.ts';

/** Makes kernels that read what earlier kernels have written. */
function program(seed: number) {
  const random = seeded(seed);
  const below = (count: number): number => Math.floor(random() * count);
  const input = new Plain('input', 1 + below(500));
  const weights = new Stored('weights', new Float32Array(1 + below(300)));
  const written: Buffer[] = [input];
  const kernels = range(20).map((i): Kernel => {
    const reads = [...range(1 + below(2)).map(() => written[below(written.length)] ?? input), weights];
    const writes = new Plain(`step ${i}`, 1 + below(500));
    written.push(writes);
    return { about: writes.name, reads, writes: [writes], emit: () => [] };
  });
  return { kernels, input, output: written.at(-1) ?? input };
}

describe('random programs', () => {
  it.each(range(50))('number %i', (seed) => {
    const { kernels, input, output } = program(seed);
    const plan = planMemory(kernels, [input], [output]);
    const place = (buffer: Buffer): readonly [number, number] => {
      const start = plan.addresses.get(buffer) ?? NaN;
      expect(start % 16, buffer.name).toBe(0);
      expect(start + buffer.bytes).toBeLessThanOrEqual(plan.bytes);
      return [start, start + buffer.bytes];
    };
    // At each step, the buffers that have been written before it and are still read at it or later must not overlap its
    // output.
    kernels.forEach(({ writes: [writes = input] }, step) => {
      const later = kernels.slice(step).flatMap(({ reads }) => reads);
      const living = [...new Set([...later, output, writes])].filter(
        (buffer) =>
          buffer === writes || buffer === input || kernels.slice(0, step).some((kernel) => kernel.writes[0] === buffer),
      );
      const [from, to] = place(writes);
      for (const other of living) {
        if (other === writes) continue;
        const [start, end] = place(other);
        expect(end <= from || to <= start, `${writes.name} and ${other.name}`).toBe(true);
      }
    });
  });

  it('take less than all that they write, since memory is used again', () => {
    const { kernels, input, output } = program(1);
    const all = [input, ...kernels.flatMap(({ writes }) => writes)].reduce((sum, { bytes }) => sum + bytes, 0);
    expect(planMemory(kernels, [input], [output]).arenaBytes).toBeLessThan(all / 2);
  });
});
