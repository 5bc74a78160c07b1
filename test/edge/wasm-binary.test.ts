import { describe, expect, it } from 'vitest';

import { allocationPages, readAllocations, sealedStart, writePlan } from '../../exporter/edge/stages/allocations.ts';
import { Notes } from '../../exporter/edge/stages/notes.ts';
import { bake, nonZeroRanges } from '../../exporter/edge/stages/bake.ts';
import { instrument } from '../../exporter/edge/stages/instrument.ts';
import { readStockModule } from '../../exporter/edge/stages/stock-module.ts';
import { stub } from '../../exporter/edge/stages/stub.ts';
import { Reader, s64, u32, vector } from '../../exporter/edge/wasm/bytes.ts';
import * as wasm from '../../exporter/edge/wasm/module.ts';

/**
 * The functions of the module below: `f` and `g` return 42 and 43, `start` and `free(block)` do nothing, `malloc`
 * returns 64.
 */
const functions = {
  f: [0, 0x41, 42, 0x0b],
  g: [0, 0x41, 43, 0x0b],
  start: [0, 0x0b],
  free: [0, 0x0b],
  malloc: [0, 0x41, 0xc0, 0, 0x0b],
};
const [toI32, toNothing, fromI32, i32ToI32] = [
  [0x60, 0, 1, 0x7f],
  [0x60, 0, 0],
  [0x60, 1, 0x7f, 0],
  [0x60, 1, 0x7f, 1, 0x7f],
] as const;

/** The least maximum that includes the region of sealed blocks. */
const maximumPages = sealedStart / 65_536 + 1;

/** A module with a shared memory of one page, a mutable global of 7, and a table of `f` and `g`. */
const small = wasm.encodeModule([
  { id: wasm.section.type, payload: vector([toI32, toNothing, fromI32, i32ToI32]) },
  { id: wasm.section.import, payload: vector([[1, 0x61, 1, 0x61, 2, 3, 1, ...u32(maximumPages)]]) },
  { id: wasm.section.function, payload: vector([[0], [0], [1], [2], [3]]) },
  { id: 4, payload: vector([[0x70, 0, 2]]) },
  { id: wasm.section.global, payload: vector([[0x7f, 1, 0x41, 7, 0x0b]]) },
  {
    id: wasm.section.export,
    payload: wasm.encodeExports(Object.keys(functions).map((name, index) => ({ name, kind: 0, index }))),
  },
  { id: wasm.section.element, payload: wasm.encodeElements([{ offset: 0, functions: [0, 1] }]) },
  { id: wasm.section.code, payload: wasm.encodeBodies(Object.values(functions).map((body) => Uint8Array.from(body))) },
]);

function instantiate(bytes: Uint8Array, memory: WebAssembly.Memory): Record<string, (argument?: number) => number> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { a: { a: memory } });
  return exports as unknown as Record<string, (argument?: number) => number>;
}

describe('wasm binary', () => {
  it.each([0, 1, 127, 128, 300, 65_535, 2 ** 31, 2 ** 32 - 1])(
    'reads the unsigned LEB128 that it wrote: %d',
    (value) => {
      expect(new Reader(Uint8Array.from(u32(value))).u32()).toBe(value);
    },
  );

  it.each([
    [0n, [0]],
    [-1n, [0x7f]],
    [63n, [0x3f]],
    [64n, [0xc0, 0]],
    [-65n, [0xbf, 0x7f]],
  ])('writes signed LEB128 as the specification does: %d', (value, bytes) => {
    expect(s64(value)).toEqual(bytes);
  });

  it('writes the stock module as it read it', async () => {
    const stock = await readStockModule();
    const sections = wasm.parseModule(stock);
    const again = wasm.replaceSections(sections, {
      [wasm.section.export]: wasm.encodeExports(wasm.parseExports(sections)),
      [wasm.section.code]: wasm.encodeBodies(wasm.parseBodies(sections)),
    });
    expect(Buffer.compare(wasm.encodeModule(again), stock)).toBe(0);
  });

  it('refuses what is not a module', () => {
    expect(() => wasm.parseModule(Uint8Array.of(1, 2, 3))).toThrow('wasm: expected a version 1 module');
  });
});

describe('instrument', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: maximumPages });
  const exports = instantiate(instrument(small, { malloc: 'malloc', free: 'free' }), memory);
  const globals = exports as unknown as Record<string, WebAssembly.Global>;

  it('marks the functions that are entered, and those only', () => {
    expect(exports['f']?.()).toBe(42);
    expect([globals['hit.0']?.value, globals['hit.1']?.value]).toEqual([1, 0]);
  });

  it('lets mutable globals be read', () => {
    expect(globals['global.0']?.value).toBe(7);
  });

  it('zeroes a block that is freed, and nothing beside it', () => {
    const [block, size, inUse] = [32, 16, 3];
    const bytes = new Uint8Array(memory.buffer).fill(0xff, 0, 64);
    new Uint32Array(memory.buffer)[block / 4 - 1] = size | inUse;
    exports['free']?.(block);
    expect([...bytes.subarray(block, block + size)]).toEqual([...Array<number>(12).fill(0), 0xff, 0xff, 0xff, 0xff]);
  });
});

describe('sealing', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: maximumPages });
  const exports = instantiate(instrument(small, { malloc: 'malloc', free: 'free' }), memory);
  const notes = new Notes(allocationPages);
  notes.attach(exports);
  const log = notes.memory;
  memory.grow(maximumPages - 1);
  writePlan(log, Uint8Array.of(0, 1, 1));
  const blocks = [40, 9, 20, 8].map((size) => exports['malloc']?.(size) ?? 0);

  it('takes the blocks of the plan, and no others, from the region above all memory', () => {
    expect(blocks).toEqual([64, sealedStart + 16, sealedStart + 32, 64]);
  });

  it('writes down every call', () => {
    const sizes = readAllocations(log, 4);
    expect(sizes).toEqual([40, 9, 20, 8].map((size, i) => ({ address: blocks[i], size })));
  });

  it('zeroes a sealed block that is freed, and not its neighbour', () => {
    const bytes = new Uint8Array(memory.buffer, sealedStart, 64).fill(0xff, 16, 25).fill(0xee, 32, 52);
    exports['free']?.(sealedStart + 16);
    expect([...bytes.subarray(16, 28)]).toEqual(Array<number>(12).fill(0));
    expect([...bytes.subarray(32, 52)]).toEqual(Array<number>(20).fill(0xee));
  });
});

describe('stub', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: maximumPages });
  const exports = instantiate(stub(small, new Set([0]), { constructors: 'start' }, new Map([[0, 9]])), memory);

  it('keeps what it is told to keep', () => {
    expect(exports['f']?.()).toBe(42);
  });

  it('makes everything else trap', () => {
    expect(() => exports['g']?.()).toThrow(WebAssembly.RuntimeError);
  });

  it('starts globals where the snapshot ended', () => {
    expect((exports as unknown as Record<string, WebAssembly.Global>)['global.0']?.value).toBe(9);
  });
});

describe('bake', () => {
  it.each([
    [[], []],
    [[0, 0, 0], []],
    [[0, 1, 2, 0], [{ start: 1, end: 3 }]],
    [[1, ...Array<number>(63).fill(0), 1], [{ start: 0, end: 65 }]],
    [
      [1, ...Array<number>(64).fill(0), 1],
      [
        { start: 0, end: 1 },
        { start: 65, end: 66 },
      ],
    ],
  ])('splits data at long runs of zeros: case %#', (memory, ranges) => {
    expect(nonZeroRanges(Uint8Array.from(memory))).toEqual(ranges);
  });

  it('writes memory when it is instantiated', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: maximumPages });
    const expected = Uint8Array.from({ length: 65_536 }, (_, i) => (i % 500 < 3 ? i % 251 : 0));
    const module = stub(small, new Set([0]), { constructors: 'start' }, new Map());
    instantiate(bake(module, expected), memory);
    expect(Buffer.compare(new Uint8Array(memory.buffer), expected)).toBe(0);
  });
});
