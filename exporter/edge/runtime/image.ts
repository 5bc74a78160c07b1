/**
 * Starts a specialised image. Its WebAssembly module holds the heap with every session created already, so that
 * starting is instantiating. It is synchronous if the host allows that, and safe in a Worker's global scope.
 */

import { at } from '../../../training/arrays/index.ts';
import { capMemory, Heap, memoryCapPages } from './heap.ts';
import { instantiate } from './instantiate.ts';
import { Link } from './link.ts';
import type { LinkNames } from './link.ts';
import type { SessionRecord, Started } from './ort.ts';
import { writeWeights } from './stored-weights.ts';
import type { WeightPiece } from './stored-weights.ts';

/** Holds what the image's module does not state about itself: names, and addresses in the heap. */
export interface ImageManifest {
  /** `pages` is the size of the snapshot's memory. */
  readonly pages: number;
  readonly names: LinkNames;
  readonly runOptions: number;
  readonly sessions: Readonly<Record<string, SessionRecord>>;
  /** `weights` lists the pieces of memory that the module's data leaves out, for each file of weights. */
  readonly weights: readonly (readonly WeightPiece[])[];
}

export interface StartOptions {
  /** Holds the files of weights; those that are there from the start come first. */
  readonly stored?: readonly Uint8Array[];
  /** Maps each session whose weights come later to the index of its file. */
  readonly late?: Readonly<Record<string, number>>;
  /** `whole` holds all of the code, if the image's own has only what the build's cases reach. */
  readonly whole?: WebAssembly.Module;
  /** Receives, once, the name of the session whose run made the image switch to the whole code. */
  readonly onWhole?: (session: string) => void;
  /** Receives the exports of the instance before any of them is called. */
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
      if (bytes) writeWeights(heap, at(weights, file), bytes);
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
    // This is needed even if the instance stays: the trap may have left the glue in the middle of an exception.
    link.attach(current);
  };
  const lacksWeights = (session: string) => {
    const file = late[session];
    return file !== undefined && !stored[file];
  };
  const provide = (file: number, bytes: Uint8Array) => {
    stored[file] = bytes;
    // All that runs have allocated since the start is dropped, so that nothing of it lies where weights belong.
    restore();
  };
  return { instance: { ort: link.ort, heap, runOptions, restore: recover, lacksWeights }, sessions, exports, provide };
}

/**
 * Returns the exports of a new instance, or undefined if the host makes none synchronously or has no memory for one.
 */
function instanceAtOnce(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Exports | undefined {
  try {
    return new WebAssembly.Instance(module, imports).exports;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * Remembers the state of an instance outside of its memory: the mutable globals, all of which the image exports. Its
 * table never changes.
 *
 * @returns a function that restores it
 */
function rememberGlobals(exports: WebAssembly.Exports): () => void {
  const globals = Object.values(exports).filter((value) => value instanceof WebAssembly.Global);
  const values = globals.map(({ value }) => value);
  return () => {
    globals.forEach((global, i) => (global.value = at(values, i)));
  };
}
