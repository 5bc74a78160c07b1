/** Boots the instrumented module through the official glue, with every model's session created. */

import { allocationExports, allocationPages, readAllocations, sealedStart, writePlan } from './allocations.ts';
import type { Allocation, SealingPlan } from './allocations.ts';
import type { Runtime } from '../bundle.ts';
import { globalPrefix, hitPrefix } from './instrument.ts';
import { Notes } from './notes.ts';
import type { Models, OrtInstance, Shapeless, Started } from '../runtime/index.ts';

export interface Booted extends Started {
  /** Mutable globals by their number among those that the module defines. */
  readonly globals: ReadonlyMap<number, WebAssembly.Global>;
  readonly hits: Hits;
  /** Names of the imports that have been called. */
  readonly called: Set<string>;
  /** Every block allocated so far, in order. */
  readonly allocations: () => readonly Allocation[];
  /** By session: which of them its creation has allocated, half-open. */
  readonly created: Readonly<Record<string, { readonly first: number; readonly end: number }>>;
}

/** Which functions have been entered, by their number among those that the module defines. */
export class Hits {
  readonly #marks: ReadonlyMap<number, WebAssembly.Global>;

  constructor(marks: ReadonlyMap<number, WebAssembly.Global>) {
    this.#marks = marks;
  }

  /** How many functions there are. */
  get size(): number {
    return this.#marks.size;
  }

  reset(): void {
    for (const mark of this.#marks.values()) mark.value = 0;
  }

  /** By function: 1 if it has been entered. */
  marks(): Uint8Array {
    const marks = new Uint8Array(this.size);
    for (const [index, mark] of this.#marks) marks[index] = Number(mark.value);
    return marks;
  }
}

export function markedNumbers(marks: Uint8Array): ReadonlySet<number> {
  return new Set([...marks.keys()].filter((index) => marks[index] === 1));
}

/** What sessions are made of. */
export interface Served {
  readonly models: Models;
  readonly shapeless: Shapeless;
}

/** @param plan which allocations are taken from the region that images do not have; none at first */
export async function boot(
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
    created: Object.fromEntries(starts.map(({ name, first }, i) => [name, { first, end: ends[i] ?? first }])),
  };
}

/** Imports that write their names into `called`. */
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

/** Growing is cheap, however far: the host backs with memory what is used. */
function makeRoom(memory: WebAssembly.Memory, notes: Notes, plan: SealingPlan): void {
  writePlan(notes.memory, plan.calls);
  memory.grow(Math.ceil((sealedStart + plan.bytes - memory.buffer.byteLength) / 65_536));
}

function allocationCount(exports: WebAssembly.Exports): number {
  const count = exports[allocationExports.count];
  if (!(count instanceof WebAssembly.Global)) throw new Error('internal: expected the count of an instrumented module');
  return Number(count.value);
}

/** Zeroing on `free` reads a block's size from the word in front of it, as dlmalloc keeps it; here that is made sure. */
function checkBlockSizes({ ort, heap }: OrtInstance): void {
  for (let bytes = 1; bytes < 1e6; bytes = 2 * bytes + 1) {
    const block = ort._malloc(bytes);
    const size = blockSize(heap.word(block - 4));
    ort._free(block);
    if (size < bytes || size > bytes + 24)
      throw new Error(`allocator: expected a block of ${bytes} bytes, got ${size}`);
  }
}

/** Bytes that a program may use of a block, from dlmalloc's word in front of it. */
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
