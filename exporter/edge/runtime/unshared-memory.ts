/**
 * Replaces `WebAssembly.Memory` inside the glue. The glue asks for a shared memory of up to 4 GiB and gets an unshared
 * one, or the memory of an image that runs already. A single thread needs no sharing, and not every host allows it.
 */

const { Memory } = WebAssembly;

let given: WebAssembly.Memory | undefined;

/** Gives the glue `memory` while `action` starts it. */
export function withMemory<T>(memory: WebAssembly.Memory, action: () => T): T {
  given = memory;
  try {
    return action();
  } finally {
    given = undefined;
  }
}

/** Is called with `new`. */
export function UnsharedMemory({ initial, maximum }: { initial: number; maximum: number }): WebAssembly.Memory {
  return given ?? new Memory({ initial, maximum });
}
