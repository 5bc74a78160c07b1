/**
 * Finds out what an image needs to know of the stock module to be linked without the official glue, by letting the glue
 * run on stand-ins. Of the imports that runs call, only those for which `runtime/link.ts` does the same in every trial
 * are answered without the glue.
 */

import type { Runtime } from '../bundle.ts';
import { type Link, type LinkNames, linkedExports } from '../runtime/link.ts';
import { Reader } from '../wasm/bytes.ts';
import { externKind, parseExports, parseModule, payloadOf, section, summarizeImports } from '../wasm/module.ts';
import type { Section } from '../wasm/module.ts';
import { atTime } from './clock.ts';
import { expectCall } from './names.ts';

type Imported = (...values: readonly unknown[]) => unknown;

/** The calls so far, with their arguments. */
type Calls = (readonly unknown[])[];

/** Outcomes of a function of the table: it returns a number, throws as C++ does, or fails. */
const outcomes: readonly (() => unknown)[] = [
  () => 5,
  () => {
    // oxlint-disable-next-line typescript/only-throw-error -- C++ exceptions are numbers in JavaScript.
    throw 3;
  },
  () => {
    throw new Error('as a trap');
  },
];
const cppException = 1;

/** Kinds of results that an import may return. WebAssembly ignores the result of an import that has none. */
const resultKinds = [
  { isWide: false, isDropped: false },
  { isWide: true, isDropped: false },
  { isWide: false, isDropped: true },
];

/**
 * Finds the names with which `Link` runs an image as the glue does.
 *
 * @param called names of imports that runs have called
 */
export async function findLink(runtime: Runtime, stock: Uint8Array, called: ReadonlySet<string>): Promise<LinkNames> {
  const sections = parseModule(stock);
  const standIns = new StandIns(sections);
  const { ort, heap, imports } = await runtime.startGlue(() => standIns);
  const [table = ''] = exportsOf(sections, externKind.table);
  const exports = Object.fromEntries(
    linkedExports.map((name) => {
      const calls = standIns.callsOf(() => (ort[name] as Imported)(1, 0));
      return [name, expectCall(`for ${name}`, calls.map(String))];
    }),
  ) as LinkNames['exports'];
  const names = { memory: memoryLimits(sections), exports, table, invokes: {}, clocks: [] };
  const linkWith = (setThrew: string): Link => new runtime.Link(heap, { ...names, setThrew });
  const functions = functionsAmong(imports, called);
  const invokes = functions.flatMap((one) => invokeOf(one, standIns, linkWith) ?? []);
  const [{ setThrew } = { setThrew: '' }] = invokes;
  const link = linkWith(setThrew);
  const times = timesOf(heap, (clock, at) => link.tellTime(clock, 0n, at));
  const isClock = ({ imported }: GlueFunction): boolean => {
    const own = timesOf(heap, (clock, at) => imported(clock, 0n, at));
    return same(own, times);
  };
  return {
    ...names,
    setThrew,
    invokes: Object.fromEntries(
      invokes.filter((one) => one.setThrew === setThrew).map(({ name, isWide }) => [name, isWide]),
    ),
    clocks: functions.filter(isClock).map(({ name }) => name),
  };
}

/** A function of the glue that the module imports under this name. */
interface GlueFunction {
  readonly name: string;
  readonly imported: Imported;
}

const functionsAmong = (imports: WebAssembly.Imports, called: ReadonlySet<string>): readonly GlueFunction[] =>
  Object.values(imports).flatMap((some) =>
    Object.entries(some).flatMap(([name, value]) =>
      called.has(name) && typeof value === 'function' ? [{ name, imported: value as Imported }] : [],
    ),
  );

interface Invoke {
  readonly name: string;
  /** Is true if the function returns 64 bits. */
  readonly isWide: boolean;
  /** Names the export that it calls for a C++ exception. */
  readonly setThrew: string;
}

/** Recognises an import that calls a function of the table as `Link.invoke` does; undefined for any other. */
function invokeOf(
  { name, imported }: GlueFunction,
  standIns: StandIns,
  linkWith: (setThrew: string) => Link,
): Invoke | undefined {
  const expected = standIns.outcomesOf(imported, imported.length);
  // The last call before the import returns.
  const setThrew = String(expected[cppException]?.at(-2)?.[0]);
  const kind = resultKinds.find(({ isWide, isDropped }) => {
    const link = linkWith(setThrew);
    link.attach(standIns.exports);
    const own: Imported = (index, ...values) => {
      const result = link.invoke(isWide, Number(index), ...values);
      return isDropped ? undefined : result;
    };
    return same(standIns.outcomesOf(own, imported.length), expected);
  });
  return kind && { name, isWide: kind.isWide, setThrew };
}

/** Replaces an instance by functions and a table that record every call. */
class StandIns {
  readonly exports: WebAssembly.Exports;
  readonly #calls: Calls = [];
  #outcome: () => unknown = () => 0;

  constructor(sections: readonly Section[]) {
    const functions = exportsOf(sections, externKind.function).map((name) => {
      const called = (...values: readonly unknown[]) => (this.#calls.push([name, ...values]), 0);
      return [name, called] as const;
    });
    const inTable =
      (index: number) =>
      (...values: readonly unknown[]) => {
        this.#calls.push(['table', index, ...values]);
        return this.#outcome();
      };
    const tables = exportsOf(sections, externKind.table).map((name) => [name, { get: inTable }] as const);
    this.exports = Object.fromEntries<unknown>([...functions, ...tables]) as WebAssembly.Exports;
  }

  /** Returns the names of the exports that `action` calls. */
  callsOf(action: () => unknown): readonly unknown[] {
    this.#calls.length = 0;
    action();
    return this.#calls.map(([name]) => name);
  }

  /** Returns, for each outcome of a function of the table, what `imported` calls, and what it returns or throws. */
  outcomesOf(imported: Imported, parameters: number): readonly Calls[] {
    return outcomes.map((outcome) => {
      this.#outcome = outcome;
      this.#calls.length = 0;
      const values = Array.from({ length: Math.max(0, parameters - 1) }, (_, i) => i + 1);
      const end = resultOf(() => imported(7, ...values));
      return [...this.#calls, [end]];
    });
  }
}

const scratch = 4_096;

/** Returns, for each clock, and one that does not exist, the result of the call and what it has written. */
function timesOf(
  { bytes }: { readonly bytes: Uint8Array },
  readClock: (clock: number, at: number) => unknown,
): readonly unknown[] {
  return [0, 1, 2, 3, 4].map((clock) => {
    bytes.fill(0, scratch - 16, scratch + 16);
    const result = resultOf(() => atTime(1_700_000_000_123.456, () => readClock(clock, scratch)));
    return [result, [...bytes.subarray(scratch - 16, scratch + 16)]];
  });
}

function resultOf(action: () => unknown): string {
  try {
    const result = action();
    return `${typeof result} ${String(result)}`;
  } catch (error) {
    return `throws ${String(error)}`;
  }
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

const exportsOf = (sections: readonly Section[], wanted: number): readonly string[] =>
  parseExports(sections).flatMap(({ name, kind }) => (kind === wanted ? [name] : []));

/** Returns the limits of the imported memory, in pages. */
function memoryLimits(sections: readonly Section[]): LinkNames['memory'] {
  const reader = new Reader(payloadOf(sections, section.import), summarizeImports(sections).limitsFlagOffset + 1);
  return { initial: reader.u32(), maximum: reader.u32() };
}
