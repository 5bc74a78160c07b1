/**
 * Reading and writing the runtime's memory: 32-bit words on its stack, blocks on its heap. Views are made anew for each
 * access, because the buffer is replaced when the memory grows.
 */
import type { Pointer, Runtime } from './runtime.ts';

export const WORD_BYTES = 4;

/** Keeps what `use` pushes onto the WebAssembly stack until it returns. */
export function withStack<Result>({ ort }: Runtime, use: () => Result): Result {
  const top = ort.stackSave();
  try {
    return use();
  } finally {
    ort.stackRestore(top);
  }
}

/** Lets a C function write `count` words, and returns them; it is given the address of each. */
export function wordsFrom(runtime: Runtime, count: number, write: (...slots: Pointer[]) => void): number[] {
  return withStack(runtime, () => {
    const address = pushWords(runtime, new Array<number>(count).fill(0));
    write(...Array.from({ length: count }, (_, i) => address + i * WORD_BYTES));
    return readWords(runtime, address, count);
  });
}

export function pushWords({ ort, memory }: Runtime, words: readonly number[]): Pointer {
  const address = ort.stackAlloc(words.length * WORD_BYTES);
  new Int32Array(memory.buffer, address, words.length).set(words);
  return address;
}

export function readWords({ memory }: Runtime, address: Pointer, count: number): number[] {
  return Array.from(new Int32Array(memory.buffer, address, count));
}

/** Copies bytes to a heap block, which the caller frees. 0 where memory ran out. */
export function copyToHeap({ ort, memory }: Runtime, bytes: Uint8Array): Pointer {
  const block = ort._malloc(bytes.byteLength);
  if (block !== 0) new Uint8Array(memory.buffer).set(bytes, block);
  return block;
}
