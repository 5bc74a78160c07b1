import { describe, expect, it } from 'vitest';

import { Notes } from '../../exporter/edge/stages/notes.ts';
import { granuleBytes, traceReads } from '../../exporter/edge/stages/trace.ts';
import { poisonPages, unreadPages, unreadTexts, zeroPages } from '../../exporter/edge/stages/unread-memory.ts';
import { vector } from '../../exporter/edge/wasm/bytes.ts';
import * as wasm from '../../exporter/edge/wasm/module.ts';

const address = 4_096;
const i32Const = (value: number) => [...wasm.integerConstant(wasm.valueType.i32, value).subarray(0, -1)];
const drop = 0x1a;
const offset = [0x02, 0x80, 0x02]; // alignment 4, offset 256

/** Instructions that read memory at `address` + 256, with their operands, and one that only writes there. */
const at = i32Const(address);
const v128 = [0xfd, 0x0c, ...Array<number>(16).fill(1)];
const reads: Readonly<Record<string, readonly number[]>> = {
  'i32.load': [...at, 0x28, ...offset, drop],
  'i64.load8_u': [...at, 0x31, 0x00, 0x80, 0x02, drop],
  'f64.load': [...at, 0x2b, ...offset, drop],
  'v128.load': [...at, 0xfd, 0x00, ...offset, drop],
  'v128.load32_splat': [...at, 0xfd, 0x09, ...offset, drop],
  'v128.load64_zero': [...at, 0xfd, 0x5d, ...offset, drop],
  'v128.load16_lane': [...at, ...v128, 0xfd, 0x55, 0x01, 0x80, 0x02, 0x03, drop],
  'i32.atomic.load': [...at, 0xfe, 0x10, ...offset, drop],
  'i32.atomic.rmw.add': [...at, ...i32Const(1), 0xfe, 0x1e, ...offset, drop],
  'i32.atomic.rmw.cmpxchg': [...at, ...i32Const(1), ...i32Const(2), 0xfe, 0x48, ...offset, drop],
  'memory.copy': [...i32Const(0), ...i32Const(address + 256), ...i32Const(4), 0xfc, 0x0a, 0x00, 0x00],
};
const writes: Readonly<Record<string, readonly number[]>> = {
  'i32.store': [...at, ...i32Const(1), 0x36, ...offset],
  'i32.atomic.store': [...at, ...i32Const(1), 0xfe, 0x17, ...offset],
  'memory.fill': [...i32Const(address + 256), ...i32Const(1), ...i32Const(4), 0xfc, 0x0b, 0x00],
};

/** Runs `code` as the body of the only function of a module, and returns the granules that it marks as read. */
function marksOf(code: readonly number[]): readonly number[] {
  const module = wasm.encodeModule([
    { id: wasm.section.type, payload: vector([[0x60, 0, 0]]) },
    { id: wasm.section.import, payload: vector([[1, 0x61, 1, 0x61, 2, 1, 1, 2]]) },
    { id: wasm.section.function, payload: vector([[0]]) },
    { id: wasm.section.global, payload: vector([[0x7f, 1, 0x41, 0, 0x0b]]) },
    { id: wasm.section.export, payload: wasm.encodeExports([{ name: 'run', kind: 0, index: 0 }]) },
    { id: wasm.section.code, payload: wasm.encodeBodies([Uint8Array.from([0, ...code, 0x0b])]) },
  ]);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(traceReads(module)), { a: { a: memory } });
  const notes = new Notes(1);
  notes.attach(exports);
  (exports['run'] as () => void)();
  const marks = new Uint8Array(notes.memory.buffer, 0, 65_536 / granuleBytes);
  return [...marks.entries()].filter(([, mark]) => mark !== 0).map(([granule]) => granule);
}

describe('traceReads', () => {
  const granule = (address + 256) / granuleBytes;

  it.each(Object.entries(reads))('marks what %s reads', (_, code) => {
    expect(marksOf(code)).toContain(granule);
  });

  it.each(Object.entries(writes))('does not mark what %s writes', (_, code) => {
    expect(marksOf(code)).toEqual([]);
  });

  it('marks both granules of a read across their border', () => {
    expect(marksOf([...i32Const(granuleBytes - 2), 0x28, 0x00, 0x00, drop])).toEqual([0, 1]);
  });

  it('refuses an instruction that it does not know', () => {
    expect(() => marksOf([0xff])).toThrow('wasm: expected a known instruction, got 0xff');
  });
});

describe('texts', () => {
  const bytes = new Uint8Array(1_024).fill(7);
  const write = (text: string, at: number) => {
    bytes.set(new TextEncoder().encode(text), at);
  };
  write('too short', 100);
  write('expected a tensor of numbers\0', 200);
  write('no such operator: it is in no list\0', 600);
  const texts = (...read: readonly number[]) => {
    const reads = new Uint8Array(bytes.length / granuleBytes);
    for (const address of read) reads[Math.floor(address / granuleBytes)] = 1;
    return unreadTexts(bytes, reads).map(({ start, end }) => [start, end]);
  };

  it.each([
    [
      'nothing',
      [],
      [
        [200, 228],
        [600, 634],
      ],
    ],
    [
      'what lies elsewhere',
      [100, 900],
      [
        [200, 228],
        [600, 634],
      ],
    ],
    ['the end of one', [227], [[600, 634]]],
    ['what lies right behind one', [640], [[200, 228]]],
  ] as const)('are dropped whole or not, where a case reads %s', (_, read, expected) => {
    expect(texts(...read)).toEqual(expected);
  });

  it('are none of numbers', () => {
    const numbers = new Uint8Array(Float64Array.from({ length: 128 }, (_, i) => Math.exp(i / 7)).buffer);
    expect(unreadTexts(numbers, new Uint8Array(numbers.length / granuleBytes))).toEqual([]);
  });

  it('that say memory has run out stay, since such an error is known by them', () => {
    const words = [
      'std::bad_alloc of something',
      'Failed to allocate memory for requested buffer of size ',
      'Failed to alter it at all',
    ];
    const dropped = words.map((text) => {
      const memory = new Uint8Array(256);
      memory.set(new TextEncoder().encode(text), 64);
      return unreadTexts(memory, new Uint8Array(memory.length / granuleBytes)).length;
    });
    expect(dropped).toEqual([0, 0, 1]);
  });
});

describe('trimming', () => {
  const memory = new Uint8Array(5 * 4_096).fill(7);
  const marks = new Uint8Array(memory.length / granuleBytes);
  marks[(3 * 4_096) / granuleBytes + 5] = 1;
  memory.fill(0, 4 * 4_096);
  memory.fill(0, 0, 2 * 4_096);
  const pages = unreadPages(memory, marks);

  it('drops pages that hold something and were not read', () => {
    expect(pages).toEqual([{ start: 2 * 4_096, end: 3 * 4_096 }]);
  });

  it('zeroes dropped pages, or poisons them for the gate, and leaves the rest', () => {
    expect(zeroPages(memory, pages)[2 * 4_096]).toBe(0);
    expect(poisonPages(memory, pages)[2 * 4_096]).toBe(0xfb);
    expect(poisonPages(memory, pages)[3 * 4_096]).toBe(7);
    expect(memory[2 * 4_096]).toBe(7);
  });
});
