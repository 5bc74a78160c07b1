/**
 * Starts a specialised image: its WebAssembly module already holds the heap with every session created, so starting is
 * instantiating. Synchronous but for the glue's own promise, where the host allows it; safe in a Worker's global scope.
 */

import { startGlue } from './glue.ts';
import type { StartedGlue } from './glue.ts';
import { capMemory, memoryCapPages, pagesOf } from './heap.ts';
import { instantiate } from './instantiate.ts';
import type { SessionRecord, Started } from './ort.ts';
import { writeWeights } from './weights.ts';
import type { WeightPiece } from './weights.ts';

/** What the build knows about an image and its module cannot say: where things are in the heap. */
export interface ImageManifest {
  /** Size of the snapshot's memory, in pages. */
  readonly pages: number;
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
  /** Is given what the instance exports, before any of it is called. */
  readonly onInstance?: (exports: WebAssembly.Exports) => void;
}

export interface StartedImage extends Started, Pick<StartedGlue, 'exports'> {
  /** Puts the weights of a file into memory. */
  readonly provide: (file: number, bytes: Uint8Array) => void;
}

export async function startImage(
  wasm: WebAssembly.Module,
  { pages, runOptions, sessions, weights }: ImageManifest,
  { stored: first = [], late = {}, onInstance = () => undefined }: StartOptions = {},
): Promise<StartedImage> {
  const stored: (Uint8Array | undefined)[] = [...first];
  const inBackground: Promise<unknown>[] = [];
  const { ort, heap, imports, exports } = await startGlue((imports, memory) => {
    memory.grow(Math.max(0, pages - pagesOf(memory)));
    capMemory(memory, memoryCapPages);
    const instance = instantiate(wasm, imports);
    if (instance instanceof Promise) inBackground.push(instance);
    else onInstance(instance.exports);
    return instance;
  });
  const fill = () => {
    stored.forEach((bytes, file) => {
      if (bytes) writeWeights(heap, weights[file] ?? [], bytes);
    });
  };
  fill();
  const initial = inBackground.length > 0 ? heap.bytes.slice() : undefined;
  const restoreGlobals = rememberGlobals(exports);
  const restore = () => {
    heap.bytes.fill(0);
    // The snapshot is the module's active data: instantiating writes it. The new instance itself is not wanted, since
    // the glue has bound itself to the functions of the first.
    if (initial) heap.bytes.set(initial);
    else new WebAssembly.Instance(wasm, imports);
    fill();
    restoreGlobals();
  };
  const lacksWeights = (session: string) => session in late && !stored[late[session] ?? -1];
  const provide = (file: number, bytes: Uint8Array) => {
    stored[file] = bytes;
    // What runs have allocated since is forgotten, so that nothing of it lies where weights belong.
    restore();
  };
  return { instance: { ort, heap, runOptions, restore, lacksWeights }, sessions, exports, provide };
}

/** The state of an instance outside of its memory: the image exports every mutable global. Its table never changes. */
function rememberGlobals(exports: WebAssembly.Exports): () => void {
  const globals = Object.values(exports).filter((value) => value instanceof WebAssembly.Global);
  const values = globals.map(({ value }) => value);
  return () => {
    globals.forEach((global, i) => (global.value = values[i] ?? 0));
  };
}
