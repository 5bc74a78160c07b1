/**
 * Boots the instrumented module through the official glue, with every model's session created, and observes what the
 * glue does with it. Names in the glue are minified and change with every release, so they are found by watching.
 */

import type { Runtime } from './bundle.ts';
import { globalPrefix, hitPrefix } from './instrument.ts';
import type { Models, Started } from './runtime/index.ts';

export interface Booted extends Started {
  /** The export that runs C++ static constructors: the first that the glue calls once it has the instance. */
  readonly constructorsExport: string;
  /** Mutable globals by their number among those that the module defines. */
  readonly globals: ReadonlyMap<number, WebAssembly.Global>;
  readonly hits: Hits;
}

/** Which functions have been entered, by their number among those that the module defines. */
export class Hits {
  readonly #marks: ReadonlyMap<number, WebAssembly.Global>;

  constructor(marks: ReadonlyMap<number, WebAssembly.Global>) {
    this.#marks = marks;
  }

  reset(): void {
    for (const mark of this.#marks.values()) mark.value = 0;
  }

  read(): ReadonlySet<number> {
    return new Set([...this.#marks].filter(([, mark]) => mark.value === 1).map(([index]) => index));
  }
}

export async function boot(runtime: Runtime, instrumented: Uint8Array, models: Models): Promise<Booted> {
  const module = new WebAssembly.Module(instrumented);
  const calls = new Set<string>();
  const observed: WebAssembly.Exports[] = [];
  const started = await runtime.startStock((imports) => {
    const { exports } = new WebAssembly.Instance(module, imports);
    observed.push(exports);
    return { exports: recordCalls(exports, calls) };
  }, models);
  const [constructorsExport] = calls;
  const [exports] = observed;
  if (constructorsExport === undefined || !exports) {
    throw new Error('onnxruntime-web glue: expected it to call an export when it starts, got no call');
  }
  return {
    ...started,
    constructorsExport,
    globals: numberedGlobals(exports, globalPrefix),
    hits: new Hits(numberedGlobals(exports, hitPrefix)),
  };
}

/** The same exports, with the name of each function added to `calls` when it is called. */
function recordCalls(exports: WebAssembly.Exports, calls: Set<string>): WebAssembly.Exports {
  const record = ([name, value]: [string, WebAssembly.ExportValue]): [string, WebAssembly.ExportValue] => {
    if (typeof value !== 'function') return [name, value];
    return [name, (...args) => (calls.add(name), value(...args))];
  };
  return Object.fromEntries(Object.entries(exports).map(record));
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
