import { describe, expect, it } from 'vitest';

import { bake } from '../../exporter/edge/stages/bake.ts';
import { repeatsIn, withoutRepeats } from '../../exporter/edge/stages/repeats.ts';
import { u32, vector } from '../../exporter/edge/wasm/bytes.ts';
import * as wasm from '../../exporter/edge/wasm/module.ts';

const pageBytes = 65_536;
const [long, short] = [4_096, 512];

/** Returns bytes without a pattern and without zeros. */
function noise(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 24) | 1;
  });
}

/** @param parts the bytes of each part with their address */
function memoryOf(parts: readonly (readonly [number, Uint8Array])[]): Uint8Array {
  const memory = new Uint8Array(2 * pageBytes);
  for (const [address, bytes] of parts) memory.set(bytes, address);
  return memory;
}

const one = noise(long, 1);
const other = noise(long, 2);

const memories: Readonly<Record<string, Uint8Array>> = {
  'nothing twice': memoryOf([
    [64, one],
    [10_000, other],
  ]),
  'a block twice': memoryOf([
    [64, one],
    [64_000, one],
  ]),
  'a block twice, not as far from a window': memoryOf([
    [64, one],
    [64_020, one],
  ]),
  'a block three times, beside another': memoryOf([
    [64, one],
    [20_000, other],
    [40_000, one],
    [40_000 + long, other],
    [80_000, one],
  ]),
  'the half of a block': memoryOf([
    [64, one],
    [60_000, one.subarray(long / 2)],
  ]),
  'short blocks': memoryOf([
    [64, one.subarray(0, short)],
    [60_000, one.subarray(0, short)],
  ]),
  'the same byte everywhere': new Uint8Array(2 * pageBytes).fill(0xfb),
  'a pattern that overlaps itself': Uint8Array.from({ length: 2 * pageBytes }, (_, i) => (i % 200) + 1),
  zeros: new Uint8Array(2 * pageBytes),
};

const entries = Object.entries(memories);

/** A module with a memory of two pages and one function. */
const small = wasm.encodeModule([
  { id: wasm.section.type, payload: vector([[0x60, 0, 1, 0x7f]]) },
  { id: wasm.section.import, payload: vector([[1, 0x61, 1, 0x61, 2, 0, ...u32(2)]]) },
  { id: wasm.section.function, payload: vector([[0]]) },
  { id: wasm.section.export, payload: wasm.encodeExports([{ name: 'f', kind: 0, index: 0 }]) },
  { id: wasm.section.code, payload: wasm.encodeBodies([Uint8Array.of(0, 0x41, 42, 0x0b)]) },
]);

describe('what a memory has more than once', () => {
  it.each(entries)('is the same as at its source, below, and nothing overlaps: %s', (_, memory) => {
    let before = 0;
    for (const { start, end, source } of repeatsIn(memory)) {
      expect(start).toBeGreaterThanOrEqual(before);
      expect(source + (end - start)).toBeLessThanOrEqual(start);
      expect(Buffer.compare(memory.subarray(start, end), memory.subarray(source, source + (end - start)))).toBe(0);
      before = end;
    }
  });

  it.each([
    ['nothing twice', 0],
    ['a block twice', long],
    // A repeat may lose as many bytes as lie before the first window that is remembered.
    ['a block twice, not as far from a window', long],
    ['a block three times, beside another', 3 * long],
    ['the half of a block', long / 2],
    ['short blocks', 0],
    ['zeros', 0],
  ] as const)('is found, but for a window at most: %s', (name, bytes) => {
    const found = repeatsIn(memories[name] ?? new Uint8Array());
    const total = found.reduce((sum, { start, end }) => sum + end - start, 0);
    expect(total).toBeLessThanOrEqual(bytes);
    expect(total).toBeGreaterThan(bytes - 64 * Math.max(1, found.length));
  });

  it.each(entries)('is written when the module is instantiated, again as well: %s', (_, memory) => {
    const instanceMemory = new WebAssembly.Memory({ initial: 2 });
    const module = new WebAssembly.Module(bake(small, memory));
    for (let run = 0; run < 2; run++) {
      // The memory is restored as an image restores it.
      const bytes = new Uint8Array(instanceMemory.buffer).fill(0);
      const { exports } = new WebAssembly.Instance(module, { a: { a: instanceMemory } });
      expect(Buffer.compare(bytes, memory)).toBe(0);
      expect((exports['f'] as () => number)()).toBe(42);
    }
  });

  it('is in the module once', () => {
    const twice = memories['a block twice'] ?? new Uint8Array();
    const once = withoutRepeats(twice, repeatsIn(twice));
    expect(bake(small, twice).length - bake(small, once).length).toBeLessThan(64);
    expect(bake(small, twice).length).toBeLessThan(1.1 * long);
  });
});
