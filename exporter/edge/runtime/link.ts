/**
 * Links an image without the official glue: a run calls a handful of functions, and the other 24 kB would be compiled
 * at every start. Any other call, such as an error makes, starts the glue on the same memory and instance, and is left
 * to it. The build finds out by behaviour which calls may be answered here (`stages/link.ts`).
 */

import { bindGlue } from './glue.ts';
import type { OrtModule, Pointer } from './glue.ts';
import type { Heap } from './heap.ts';

/** Lists the functions of the C API that are called once sessions exist. */
export const linkedExports = [
  ...([
    '_OrtRun',
    '_OrtGetLastError',
    '_OrtCreateTensor',
    '_OrtGetTensorData',
    '_OrtReleaseTensor',
    '_OrtFree',
  ] as const),
  ...(['_malloc', '_free', 'stackSave', 'stackAlloc', 'stackRestore'] as const),
] as const;

export type RunModule = Pick<OrtModule, (typeof linkedExports)[number] | 'UTF8ToString'>;

/** Maps public names to the module's minified ones. */
export interface LinkNames {
  /** The limits of the memory, in pages. */
  readonly memory: { readonly initial: number; readonly maximum: number };
  readonly exports: Readonly<Record<(typeof linkedExports)[number], string>>;
  readonly table: string;
  /** Names the export that informs the code that a C++ exception is under way. */
  readonly setThrew: string;
  /**
   * Lists the imports that call a function of the table and catch its C++ exceptions. The value is true if the function
   * returns 64 bits.
   */
  readonly invokes: Readonly<Record<string, boolean>>;
  /** Lists the imports that write the time to memory. */
  readonly clocks: readonly string[];
}

type Native = (...values: readonly unknown[]) => number;
type Imported = (...values: never[]) => unknown;

/** Links an instance that can be replaced by another one with the same memory. */
export class Link {
  readonly #heap: Heap;
  readonly #names: LinkNames;
  #exports: WebAssembly.Exports = {};
  /** Caches the functions of the table that have been called, by index. */
  #called: Native[] = [];
  #glue: WebAssembly.Imports | undefined;

  constructor(heap: Heap, names: LinkNames) {
    this.#heap = heap;
    this.#names = names;
  }

  /** Returns the imports that a module asks for. */
  importsOf(module: WebAssembly.Module): WebAssembly.Imports {
    const imports: WebAssembly.Imports = {};
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module))
      (imports[from] ??= {})[name] = kind === 'memory' ? this.#heap.memory : this.#imported(from, name);
    return imports;
  }

  /** Makes `exports` the instance that is called from now on, and that its imports call back. */
  attach(exports: WebAssembly.Exports): void {
    this.#exports = exports;
    this.#called = [];
    this.#glue = undefined;
  }

  get ort(): RunModule {
    const pointers = ['_malloc', 'stackSave', 'stackAlloc'];
    const functions = linkedExports.map((name) => {
      const exported = this.#names.exports[name];
      const call: Native = (...values) => this.#native(exported)(...values);
      return [name, pointers.includes(name) ? (...values: readonly unknown[]) => call(...values) >>> 0 : call] as const;
    });
    return {
      ...Object.fromEntries(functions),
      UTF8ToString: (at: Pointer) => textAt(this.#heap.bytes, at),
    } as RunModule;
  }

  #native(name: string): Native {
    return this.#exports[name] as Native;
  }

  #imported(from: string, name: string): Imported {
    const { invokes, clocks } = this.#names;
    const isWide = invokes[name];
    if (isWide !== undefined) return this.invoke.bind(this, isWide);
    if (clocks.includes(name)) return this.tellTime.bind(this);
    return (...values) => {
      this.#glue ??= bindGlue(this.#heap.memory, this.#exports);
      return (this.#glue[from]?.[name] as Imported)(...values);
    };
  }

  /** Implements Emscripten's `invoke_…`. C++ exceptions are thrown as numbers. */
  invoke(isWide: boolean, index: number, ...values: readonly unknown[]): unknown {
    const { setThrew, exports } = this.#names;
    const stack = this.#native(exports.stackSave)();
    try {
      return this.#tableFunction(index)(...values);
    } catch (error) {
      this.#native(exports.stackRestore)(stack);
      if (typeof error !== 'number') throw error;
      this.#native(setThrew)(1, 0);
      return isWide ? 0n : undefined;
    }
  }

  /**
   * Implements WASI's `clock_time_get`, in nanoseconds: clock 0 gives the time of day, the others the time since some
   * moment.
   */
  tellTime(clock: number, _precision: bigint, at: Pointer): number {
    const [timeOfDay, last, invalid] = [0, 3, 28];
    if (!(clock >= timeOfDay && clock <= last)) return invalid;
    const milliseconds = clock === timeOfDay ? Date.now() : performance.timeOrigin + performance.now();
    const { bytes } = this.#heap;
    new DataView(bytes.buffer).setBigInt64(at >>> 0, BigInt(Math.round(1e6 * milliseconds)), true);
    return 0;
  }

  #tableFunction(index: number): Native {
    return (this.#called[index] ??= (this.#exports[this.#names.table] as WebAssembly.Table).get(index) as Native);
  }
}

/** Decodes UTF-8 that ends with a zero byte. */
function textAt(bytes: Uint8Array, at: Pointer): string {
  return new TextDecoder().decode(bytes.slice(at, bytes.indexOf(0, at)));
}
