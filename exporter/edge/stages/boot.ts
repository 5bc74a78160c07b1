/**
 * Boots the instrumented module through the official glue, creates every model's session, and runs each of them once.
 */

import { at } from '../../../training/arrays/index.ts';
import { allocationExports, allocationPages, readAllocations, sealedStart, writePlan } from './allocations.ts';
import type { Allocation, SealingPlan } from './allocations.ts';
import type { Runtime } from '../bundle.ts';
import { globalPrefix, hitPrefix } from './instrument.ts';
import { Notes } from './notes.ts';
import type { Models, OrtInstance, SessionRecord, Shapeless, Started } from '../runtime/index.ts';

export interface Booted extends Started {
  /** Maps the number of each mutable global, among those that the module defines, to the global. */
  readonly globals: ReadonlyMap<number, WebAssembly.Global>;
  readonly hits: Hits;
  /** `called` holds the names of the imports that have been called. */
  readonly called: Set<string>;
  /** Returns every block allocated so far, in order. */
  readonly allocations: () => readonly Allocation[];
  /** Maps each session to the half-open range of the allocations that creating it has made. */
  readonly created: Readonly<Record<string, { readonly first: number; readonly end: number }>>;
}

/** Tells which functions have been entered, by their number among those that the module defines. */
export class Hits {
  readonly #marks: ReadonlyMap<number, WebAssembly.Global>;

  constructor(marks: ReadonlyMap<number, WebAssembly.Global>) {
    this.#marks = marks;
  }

  /** Counts the functions. */
  get size(): number {
    return this.#marks.size;
  }

  reset(): void {
    for (const mark of this.#marks.values()) mark.value = 0;
  }

  /** Returns one byte per function: 1 if it has been entered. */
  marks(): Uint8Array {
    const marks = new Uint8Array(this.size);
    for (const [index, mark] of this.#marks) marks[index] = Number(mark.value);
    return marks;
  }
}

export function markedNumbers(marks: Uint8Array): ReadonlySet<number> {
  return new Set([...marks.keys()].filter((index) => marks[index] === 1));
}

/** The models that sessions are created from. */
export interface Served {
  readonly models: Models;
  readonly shapeless: Shapeless;
}

/** @param plan allocations to take from the region that images do not have; none for the first boot */
async function boot(
  runtime: Runtime,
  instrumented: Uint8Array,
  { models, shapeless }: Served,
  plan?: SealingPlan,
): Promise<Booted> {
  const module = new WebAssembly.Module(instrumented);
  const starts: { readonly name: string; readonly first: number }[] = [];
  const notes = new Notes(allocationPages);
  const called = new Set<string>();
  let exports: WebAssembly.Exports = {};
  const instantiate = (imports: WebAssembly.Imports, memory: WebAssembly.Memory) => {
    const instance = new WebAssembly.Instance(module, noted(imports, called));
    exports = instance.exports;
    notes.attach(exports);
    if (plan) makeRoom(memory, notes, plan);
    return instance;
  };
  const onSession = (name: string) => starts.push({ name, first: allocationCount(exports) });
  const started = await runtime.startStock(instantiate, models, { shapeless, onSession });
  const ends = [...starts.slice(1).map(({ first }) => first), allocationCount(exports)];
  checkBlockSizes(started.instance);
  return {
    ...started,
    globals: numberedGlobals(started.exports, globalPrefix),
    hits: new Hits(numberedGlobals(started.exports, hitPrefix)),
    called,
    allocations: () => readAllocations(notes.memory, allocationCount(started.exports)),
    created: Object.fromEntries(starts.map(({ name, first }, i) => [name, { first, end: at(ends, i) }])),
  };
}

/**
 * Boots and warms up every session. The first runs make caches that every later run reads; the snapshot holds these and
 * the tensors for single samples.
 *
 * @param cold sessions that trap on zeros, and are not warmed up
 */
export async function bootWarm(
  runtime: Runtime,
  instrumented: Uint8Array,
  served: Served,
  plan?: SealingPlan,
  cold: ReadonlySet<string> = new Set(),
): Promise<Booted> {
  const started = await boot(runtime, instrumented, served, plan);
  const booted = { ...started, sessions: bindAll(runtime, started) };
  started.called.clear();
  for (const [name, session] of runtime.sessionsOf(booted)) {
    if (cold.has(name)) continue;
    try {
      runtime.warmUp(session);
    } catch {
      return bootWarm(runtime, instrumented, served, plan, new Set([...cold, name]));
    }
  }
  return booted;
}

/** Allocates, for each session that allows it, the tensors on which single samples run. */
function bindAll(runtime: Runtime, { instance, sessions }: Booted): Booted['sessions'] {
  const bindOne = ([name, record]: [string, SessionRecord]) => {
    const binding = runtime.bind(instance, record);
    return [name, { ...record, ...(binding && { binding }) }] as const;
  };
  return Object.fromEntries(Object.entries(sessions).map(bindOne));
}

/** Wraps the imports, so that each call adds the import's name to `called`. */
function noted(imports: WebAssembly.Imports, called: Set<string>): WebAssembly.Imports {
  const note = ([name, value]: [string, unknown]) => {
    if (typeof value !== 'function') return [name, value] as const;
    return [
      name,
      (...values: unknown[]): unknown => (called.add(name), Reflect.apply(value, undefined, values)),
    ] as const;
  };
  return Object.fromEntries(
    Object.entries(imports).map(([from, names]) => [from, Object.fromEntries(Object.entries(names).map(note))]),
  );
}

/** Grows the memory over the sealed region. That is cheap, however far: the host backs only the pages that are used. */
function makeRoom(memory: WebAssembly.Memory, notes: Notes, plan: SealingPlan): void {
  writePlan(notes.memory, plan.calls);
  memory.grow(Math.ceil((sealedStart + plan.bytes - memory.buffer.byteLength) / 65_536));
}

function allocationCount(exports: WebAssembly.Exports): number {
  const count = exports[allocationExports.count];
  if (!(count instanceof WebAssembly.Global)) throw new Error('internal: expected the count of an instrumented module');
  return Number(count.value);
}

/** Checks that the word in front of a block holds its size, as in dlmalloc: zeroing on `free` relies on it. */
function checkBlockSizes({ ort, heap }: OrtInstance): void {
  for (let bytes = 1; bytes < 1e6; bytes = 2 * bytes + 1) {
    const block = ort._malloc(bytes);
    const size = blockSize(heap.word(block - 4));
    ort._free(block);
    if (size < bytes || size > bytes + 24)
      throw new Error(`allocator: expected a block of ${bytes} bytes, got ${size}`);
  }
}

/** Returns how many bytes of a block a program may use, from dlmalloc's word in front of it. */
export function blockSize(head: number): number {
  return (head & ~7) - 4;
}

function numberedGlobals(exports: WebAssembly.Exports, prefix: string): ReadonlyMap<number, WebAssembly.Global> {
  const globals = new Map<number, WebAssembly.Global>();
  for (const [name, value] of Object.entries(exports)) {
    if (name.startsWith(prefix) && value instanceof WebAssembly.Global) {
      globals.set(Number(name.slice(prefix.length)), value);
    }
  }
  return globals;
}
