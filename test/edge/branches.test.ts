import { beforeAll, describe, expect, it } from 'vitest';

import { outcomeOf, sessionOf } from '../../exporter/edge/cases/cases.ts';
import type { Subject } from '../../exporter/edge/cases/cases.ts';
import { makeFeeds } from '../../exporter/edge/cases/feeds.ts';
import { describeDifference } from '../../exporter/edge/cases/verify.ts';
import { loadRuntime } from '../../exporter/edge/bundle.ts';
import { makeImage } from '../../exporter/edge/image.ts';
import type { EdgeImage } from '../../exporter/edge/image.ts';
import type { Recall } from '../../exporter/edge/ingredients.ts';
import { allocatorIn } from '../../exporter/edge/stages/allocator.ts';
import { armsOf, countArms, cutBranches } from '../../exporter/edge/stages/branches.ts';
import { Notes } from '../../exporter/edge/stages/notes.ts';
import { countEntries, cutTable } from '../../exporter/edge/stages/table.ts';
import { markCallsOf, marksPages, readMarks, traceReads } from '../../exporter/edge/stages/trace.ts';
import { readStockModule } from '../../exporter/edge/stages/stock-module.ts';
import { vector } from '../../exporter/edge/wasm/bytes.ts';
import {
  add,
  block,
  branchIf,
  constant,
  end,
  ifTrue,
  leave,
  localGet,
  localSet,
  otherwise,
} from '../../exporter/edge/wasm/code.ts';
import * as wasm from '../../exporter/edge/wasm/module.ts';
import { cnn, lookup, sequences } from './fixtures.ts';
import { ingredientsOf, startImage, startReference } from './subjects.ts';

const { i32 } = wasm.valueType;
const noLocals = 0;

/** Sets the first argument to 1 if it is not 0, else to 2; then adds 10, unless the second argument is not 0. */
const body = Uint8Array.from([
  noLocals,
  ...[...localGet(0), ...ifTrue, ...constant(1), ...localSet(0), otherwise, ...constant(2), ...localSet(0), end],
  ...[...block, ...localGet(1), branchIf, 0, ...localGet(0), ...constant(10), add, leave, end],
  ...[...localGet(0), end],
]);
const [then, other, rest] = [0, 1, 2];

function run(cut: readonly number[], spared: readonly number[] = []): (a: number, b: number) => number {
  const module = wasm.encodeModule([
    { id: wasm.section.type, payload: vector([wasm.encodeType({ parameters: [i32, i32], results: [i32] })]) },
    { id: wasm.section.function, payload: vector([[0]]) },
    { id: wasm.section.export, payload: wasm.encodeExports([{ name: 'f', kind: wasm.externKind.function, index: 0 }]) },
    { id: wasm.section.code, payload: wasm.encodeBodies([body]) },
  ]);
  expect(countArms(module)).toBe(3);
  const marks = Uint8Array.from([then, other, rest], (arm) => Number(!cut.includes(arm)));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(cutBranches(module, marks, new Set(spared))));
  return exports['f'] as unknown as (a: number, b: number) => number;
}

describe('branches', () => {
  it('begin on either side of an if and behind a branch that may be taken, and end with the block', () => {
    const [first, second, third] = armsOf(body);
    expect(body[first?.end ?? 0]).toBe(otherwise);
    expect(second?.start).toBe((first?.end ?? 0) + 1);
    expect([second, third].map((arm) => body[arm?.end ?? 0])).toEqual([end, end]);
  });

  it.each([
    [[], [11, 1, 12, 2]],
    [[then], [undefined, undefined, 12, 2]],
    [[other], [11, 1, undefined, undefined]],
    [[rest], [undefined, 1, undefined, 2]],
    [
      [then, rest],
      [undefined, undefined, undefined, 2],
    ],
  ] as const)('without %j trap where they are taken, and leave the others', (cut, expected) => {
    const f = run(cut);
    const got = [f.bind(0, 1, 0), f.bind(0, 1, 1), f.bind(0, 0, 0), f.bind(0, 0, 1)].map((call) => {
      try {
        return call();
      } catch (error) {
        expect(error).toBeInstanceOf(WebAssembly.RuntimeError);
        return undefined;
      }
    });
    expect(got).toEqual(expected);
  });

  it('of functions that are spared stay', () => {
    expect(run([then, other, rest], [0])(1, 0)).toBe(11);
  });
});

describe('a table', () => {
  const toI32 = { parameters: [i32], results: [i32] };
  const entries = 40;
  /**
   * A module whose `f` calls an entry of a table of functions, each of which returns its number; the table starts at 1.
   */
  const module = wasm.encodeModule([
    { id: wasm.section.type, payload: vector([wasm.encodeType(toI32)]) },
    { id: wasm.section.import, payload: vector([[1, 0x61, 1, 0x61, wasm.externKind.memory, 0, 1]]) },
    { id: wasm.section.function, payload: vector(Array.from({ length: entries + 1 }, () => [0])) },
    { id: wasm.section.table, payload: vector([[0x70, 0, entries + 1]]) },
    {
      id: wasm.section.export,
      payload: wasm.encodeExports([
        { name: 'f', kind: wasm.externKind.function, index: entries },
        { name: 'table', kind: wasm.externKind.table, index: 0 },
      ]),
    },
    {
      id: wasm.section.element,
      payload: wasm.encodeElements([{ offset: 1, functions: Array.from({ length: entries }, (_, i) => i) }]),
    },
    {
      id: wasm.section.code,
      payload: wasm.encodeBodies([
        ...Array.from({ length: entries }, (_, i) => Uint8Array.from([noLocals, ...constant(i), end])),
        Uint8Array.from([noLocals, ...localGet(0), ...localGet(0), 0x11, 0, 0, end]),
      ]),
    },
  ]);
  const instanceOf = (one: Uint8Array) => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    return new WebAssembly.Instance(new WebAssembly.Module(one), { a: { a: memory } }).exports;
  };

  it('is marked where an instruction calls it, and where the host does', () => {
    const exports = instanceOf(traceReads(module));
    const notes = new Notes(marksPages);
    notes.attach(exports);
    const f = exports['f'] as (index: number) => number;
    expect([f(7), f(1), f(31)]).toEqual([6, 0, 30]);
    const marks = readMarks(notes);
    const table = exports['table'] as WebAssembly.Table;
    markCallsOf(table, marks);
    expect((table.get(3) as () => number)()).toBe(2);
    const indices = Array.from({ length: countEntries(module) }, (_, i) => i);
    expect(indices.filter((i) => marks.entries[i] !== 0)).toEqual([1, 3, 7, 31]);
  });

  it('keeps the entries that are marked, and what is not traps when it is called', () => {
    const marks = Uint8Array.from({ length: countEntries(module) }, (_, i) => Number([2, 30].includes(i)));
    const cut = cutTable(module, marks);
    expect(wasm.parseElements(wasm.parseModule(cut))).toEqual([
      { offset: 2, functions: [1] },
      { offset: 30, functions: [29] },
    ]);
    const f = instanceOf(cut)['f'] as (index: number) => number;
    expect([f(2), f(30)]).toEqual([1, 29]);
    for (const index of [1, 3, 29, 31]) expect(() => f(index)).toThrow(WebAssembly.RuntimeError);
  });

  it('keeps what lies between two entries that are hardly apart', () => {
    const marks = Uint8Array.from({ length: countEntries(module) }, (_, i) => Number([4, 8, 14].includes(i)));
    const runs = wasm.parseElements(wasm.parseModule(cutTable(module, marks)));
    expect(runs.map(({ offset, functions }) => [offset, functions.length])).toEqual([
      [4, 5],
      [14, 1],
    ]);
  });
});

describe('the allocator of the stock module', () => {
  it('is found with what takes blocks apart, and is a small part of it', async () => {
    const stock = await readStockModule();
    const sections = wasm.parseModule(stock);
    const found = allocatorIn(stock, { malloc: 'wb', free: 'vb' });
    const sizes = wasm.parseBodies(sections).map(({ length }) => length);
    const bytes = [...found].reduce((sum, i) => sum + (sizes[i] ?? 0), 0);
    expect(found.size).toBeGreaterThan(5);
    expect(bytes).toBeGreaterThan(8_000);
    expect(bytes).toBeLessThan(40_000);
  });
});

describe('an image of branches', () => {
  const models = { cnn: cnn({ channels: [4, 8], hidden: 16 }), lookup: lookup(), sequences: sequences() };
  let made: EdgeImage;

  beforeAll(async () => {
    made = await makeImage(await ingredientsOf(models));
  });

  it('has of the table of functions what requests call, and all of it in the whole code', () => {
    const entries = (module: Uint8Array) =>
      wasm.parseElements(wasm.parseModule(module)).reduce((sum, { functions }) => sum + functions.length, 0);
    expect(entries(made.whole ?? new Uint8Array())).toBeGreaterThan(20_000);
    expect(entries(made.wasm)).toBeLessThan(2_000);
    expect(entries(made.wasm)).toBeGreaterThan(50);
  });

  const answer = (subject: Subject, size: number, fill: 'pixels' | 'special' = 'pixels') => {
    const session = sessionOf(subject, 'cnn');
    return session.run(makeFeeds(subject.runtime, session.inputs, { all: size }, fill));
  };

  it('has far less code than the functions that requests reach', () => {
    const codeOf = (module: Uint8Array) => wasm.payloadOf(wasm.parseModule(module), wasm.section.code).length;
    expect(codeOf(made.wasm)).toBeLessThan(0.65 * codeOf(made.whole ?? new Uint8Array()));
  });

  it('answers batches of any size, as the first request or a later one, bit by bit as stock and without a trap', async () => {
    const stock = await startReference(models);
    const sizes = [4, 5, 6, 8, 9, 13, 24, 31, 48, 63, 71, 100, 127, 200, 255];
    const traps: unknown[] = [];
    for (const [first, fill] of [...sizes.map((size) => [size, 'pixels'] as const), [1, 'special'] as const]) {
      const image = await startImage(made);
      const restore = (trapped?: string) => {
        traps.push(first);
        image.instance.restore?.(trapped);
      };
      const observed = { ...image, instance: { ...image.instance, restore } };
      for (const size of [first, ...sizes])
        expect(describeDifference(answer(stock, size, fill), answer(observed, size, fill))).toBeUndefined();
    }
    expect(traps).toEqual([]);
  });

  it('goes on with the whole code where a branch is missing, in this request and the next', async () => {
    const arms = countArms(made.wasm);
    const hollow = { ...made, wasm: cutBranches(made.wasm, new Uint8Array(arms), new Set()) };
    const [image, expected] = [await startImage(hollow), await startImage(made)];
    let traps = 0;
    const restore = (trapped?: string) => {
      traps++;
      image.instance.restore?.(trapped);
    };
    const observed = { ...image, instance: { ...image.instance, restore } };
    for (const size of [3, 1, 64])
      expect(describeDifference(answer(expected, size), answer(observed, size))).toBeUndefined();
    expect(traps).toBe(1);
    expect(() => answer(observed, 20_000)).toThrow(expect.objectContaining({ outOfMemory: true }) as Error);
    expect(traps).toBe(1);
  });

  it.each([
    { time: 0, batch: 0 },
    { time: 0, batch: 2 },
    { time: 3, batch: 0 },
  ])('answers with nothing along one of several free dimensions as stock does: %j', async (named) => {
    const [stock, image] = [await startReference(models), await startImage(made)];
    const answers = [stock, image].map((subject) => {
      const session = sessionOf(subject, 'sequences');
      return outcomeOf(subject, 'sequences', makeFeeds(subject.runtime, session.inputs, { all: 1, named }, 'pixels'));
    });
    expect(describeDifference(answers[0] ?? '', answers[1] ?? '')).toBeUndefined();
  });

  describe('without any branch', () => {
    const whole = () => new WebAssembly.Module(made.whole ?? new Uint8Array());
    const told: string[] = [];
    const startHollow = async (whole: WebAssembly.Module): Promise<Subject> => {
      const runtime = await loadRuntime('unshared');
      const hollow = new WebAssembly.Module(cutBranches(made.wasm, new Uint8Array(countArms(made.wasm)), new Set()));
      told.length = 0;
      const onWhole = (session: string) => told.push(session);
      return { ...(await runtime.startImage(hollow, made.manifest, { whole, onWhole })), runtime };
    };

    it('tells once whose run it went on for, and not where it is only put back', async () => {
      const image = await startHollow(whole());
      image.instance.restore?.();
      expect(told).toEqual([]);
      for (const size of [1, 5, 2]) answer(image, size);
      expect(told).toEqual(['cnn']);
    });

    it('goes on at the next request, where the host has no room for the whole code in this one', async () => {
      const module = whole();
      const [image, expected] = [await startHollow(module), await startImage(made)];
      const { Instance } = WebAssembly;
      WebAssembly.Instance = class extends Instance {
        constructor(one: WebAssembly.Module, imports?: WebAssembly.Imports) {
          if (one === module) throw new RangeError('WebAssembly.Instance(): Out of memory');
          super(one, imports);
        }
      };
      try {
        expect(() => answer(image, 3)).toThrow('model cnn trapped twice');
      } finally {
        WebAssembly.Instance = Instance;
      }
      expect(told).toEqual([]);
      expect(describeDifference(answer(expected, 3), answer(image, 3))).toBeUndefined();
      expect(told).toEqual(['cnn']);
    });
  });

  it('is one of functions where the branches that were remembered are too few', async () => {
    const recall: Recall = async (what, _inputs, make) => {
      const bytes = await make();
      const calls = bytes.length - countArms(made.whole ?? new Uint8Array());
      return what === 'seal' ? bytes.map((byte, i) => (i < calls ? byte : 0)) : bytes;
    };
    const { whole, wasm: module } = await makeImage({ ...(await ingredientsOf(models)), recall });
    expect(whole).toBeUndefined();
    expect(countArms(module)).toBe(countArms(made.whole ?? new Uint8Array()));
    expect(countEntries(module)).toBe(countEntries(made.whole ?? new Uint8Array()));
  });
});
