/**
 * The memory of a specialised image: the glue asks for a shared one of up to 4 GiB, it gets an unshared one.
 * The bundler puts this class in the place of `WebAssembly.Memory` inside the glue; one thread needs no sharing, and
 * not every host allows it.
 */

const { Memory } = WebAssembly;

export class UnsharedMemory extends Memory {
  constructor({ initial, maximum }: { initial: number; maximum: number }) {
    super({ initial, maximum });
  }
}
