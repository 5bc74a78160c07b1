/**
 * The memory of a specialised image: the glue asks for a shared one of up to 4 GiB, it gets an unshared one, or the one of an
 * image that runs already. The bundler puts this in the place of `WebAssembly.Memory` inside the glue; one thread needs no
 * sharing, and not every host allows it.
 */

const { Memory } = WebAssembly;

let given: WebAssembly.Memory | undefined;

/** What the glue gets while `action` starts it. */
export function withMemory<T>(memory: WebAssembly.Memory, action: () => T): T {
  given = memory;
  try {
    return action();
  } finally {
    given = undefined;
  }
}

/** To be called with `new`. */
export function UnsharedMemory({ initial, maximum }: { initial: number; maximum: number }): WebAssembly.Memory {
  return given ?? new Memory({ initial, maximum });
}
