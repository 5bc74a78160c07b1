/**
 * Gives views of linear memory that survive its growth, and caps its growth, so that an over-large batch is a clean
 * error.
 */

import { present } from '../../../training/arrays/index.ts';
import type { Pointer } from './glue.ts';

/** The size of WebAssembly's page, in bytes. */
export const pageBytes = 65_536;

/** 96 MiB in pages: an isolate has 128 MB for everything, and is killed without a message beyond that. */
export const memoryCapPages = 1_536;

export class Heap {
  readonly memory: WebAssembly.Memory;
  #bytes = new Uint8Array();
  #words = new Uint32Array();

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
  }

  /** All of linear memory. It is valid until the next call into WebAssembly, which may grow the memory. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.memory.buffer) this.#bytes = new Uint8Array(this.memory.buffer);
    return this.#bytes;
  }

  /** The same memory as 32-bit words. The index is the address divided by four. */
  get words(): Uint32Array {
    if (this.#words.buffer !== this.memory.buffer) this.#words = new Uint32Array(this.memory.buffer);
    return this.#words;
  }

  /** Returns the 32-bit word at an address that is a multiple of four. */
  word(address: Pointer): number {
    return present(this.words[address >>> 2]);
  }

  setWords(address: Pointer, values: readonly number[]): void {
    this.words.set(values, address >>> 2);
  }
}

/**
 * Makes `memory.grow` fail beyond `pages`; the allocator then returns null and ONNX Runtime reports `std::bad_alloc`.
 * The glue grows memory through this method only. A later call replaces the cap.
 */
export function capMemory(memory: WebAssembly.Memory, pages: number): void {
  memory.grow = (delta) => {
    if (pagesOf(memory) + delta > pages) throw new RangeError(`memory: expected at most ${pages} pages`);
    return (Object.getPrototypeOf(memory) as WebAssembly.Memory).grow.call(memory, delta);
  };
}

export function pagesOf(memory: WebAssembly.Memory): number {
  return memory.buffer.byteLength / pageBytes;
}
