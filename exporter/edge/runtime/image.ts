/**
 * Starts a specialised image: its WebAssembly module already holds the heap with every session created, so starting is
 * instantiating. Synchronous where the host allows it; safe in a Worker's global scope.
 */

import { capMemory, Heap, memoryCapPages } from './heap.ts';
import { instantiate } from './instantiate.ts';
import { Link } from './link.ts';
import type { LinkNames } from './link.ts';
import type { SessionRecord, Started } from './ort.ts';
import { writeWeights } from './weights.ts';
import type { WeightPiece } from './weights.ts';

/** What the build knows about an image and its module cannot say: where things are in the heap. */
export interface ImageManifest {
  /** Size of the snapshot's memory, in pages. */
  readonly pages: number;
  readonly names: LinkNames;
  readonly runOptions: number;
  readonly sessions: Readonly<Record<string, SessionRecord>>;
  /** What the module's data leaves out, one list for each file of weights. */
  readonly weights: readonly (readonly WeightPiece[])[];
}

export interface StartOptions {
  /** The files of weights, those first that are there from the start. */
  readonly stored?: readonly Uint8Array[];
  /** By session: which file it waits for. */
  readonly late?: Readonly<Record<string, number>>;
  /** All of the code, where the image's own is only what the cases of the build reach. */
  readonly whole?: WebAssembly.Module;
  /** Is told, once, whose run made the image go on with the whole code. */
  readonly onWhole?: (session: string) => void;
  /** Is given what the instance exports, before any of it is called. */
  readonly onInstance?: (exports: WebAssembly.Exports) => void;
}

export interface StartedImage extends Started {
  readonly exports: WebAssembly.Exports;
  /** Puts the weights of a file into memory. */
  readonly provide: (file: number, bytes: Uint8Array) => void;
}

export async function startImage(
  wasm: WebAssembly.Module,
  { pages, names, runOptions, sessions, weights }: ImageManifest,
  { stored: first = [], late = {}, whole, onWhole = () => undefined, onInstance = () => undefined }: StartOptions = {},
): Promise<StartedImage> {
  const stored: (Uint8Array | undefined)[] = [...first];
  const { initial, maximum } = names.memory;
  const heap = new Heap(new WebAssembly.Memory({ initial: Math.max(initial, pages), maximum }));
  capMemory(heap.memory, memoryCapPages);
  const link = new Link(heap, names);
  const imports = link.importsOf(wasm);
  const made = instantiate(wasm, imports);
  const { exports } = made instanceof Promise ? await made : made;
  link.attach(exports);
  onInstance(exports);
  const fill = () => {
    stored.forEach((bytes, file) => {
      if (bytes) writeWeights(heap, weights[file] ?? [], bytes);
    });
  };
  fill();
  const copy = made instanceof Promise ? heap.bytes.slice() : undefined;
  let restoreGlobals = rememberGlobals(exports);
  const restore = () => {
    heap.bytes.fill(0);
    // The snapshot is the module's active data: instantiating writes it.
    if (copy) heap.bytes.set(copy);
    else new WebAssembly.Instance(wasm, imports);
    fill();
    restoreGlobals();
  };
  let current = exports;
  const recover = (trapped?: string) => {
    restore();
    const isCut = whole && current === exports;
    const other = isCut && trapped !== undefined && instanceAtOnce(whole, link.importsOf(whole));
    if (other) {
      onWhole(trapped);
      current = other;
      restoreGlobals = rememberGlobals(current);
    }
    // Also where the instance stays: the glue may have been left in the midst of an exception.
    link.attach(current);
  };
  const lacksWeights = (session: string) => session in late && !stored[late[session] ?? -1];
  const provide = (file: number, bytes: Uint8Array) => {
    stored[file] = bytes;
    // What runs have allocated since is forgotten, so that nothing of it lies where weights belong.
    restore();
  };
  return { instance: { ort: link.ort, heap, runOptions, restore: recover, lacksWeights }, sessions, exports, provide };
}

/** What a new instance exports; nothing where the host makes none at once, or has no room for one now. */
function instanceAtOnce(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Exports | undefined {
  try {
    return new WebAssembly.Instance(module, imports).exports;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The state of an instance outside of its memory: the image exports every mutable global. Its table never changes. */
function rememberGlobals(exports: WebAssembly.Exports): () => void {
  const globals = Object.values(exports).filter((value) => value instanceof WebAssembly.Global);
  const values = globals.map(({ value }) => value);
  return () => {
    globals.forEach((global, i) => (global.value = values[i] ?? 0));
  };
}
