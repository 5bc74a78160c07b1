/** Opens a compiled static program over a memory of its own, ready to run. */
import type { StaticPort, StaticProgram } from './compile-static.ts';

const pageBytes = 65536;

/** The elements of an input or output, in the program's memory. */
export type Cells = Float32Array | Int32Array;

export interface OpenProgram {
  /** @internal -- its type is missing from the type libraries of some programs */
  readonly module: WebAssembly.Module;
  /**
   * Is shared where the program is for two threads.
   * @internal
   */
  readonly memory: WebAssembly.Memory;
  /** Reads the inputs and writes the outputs in memory. */
  readonly run: () => void;
  readonly inputs: ReadonlyMap<string, Cells>;
  readonly outputs: ReadonlyMap<string, Cells>;
}

export function openStatic({ wasm, threads, memoryBytes, segments, inputs, outputs }: StaticProgram): OpenProgram {
  const pages = Math.ceil(memoryBytes / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, ...(threads === 2 && { maximum: pages, shared: true }) });
  for (const { address, data } of segments) new Uint8Array(memory.buffer).set(data, address);
  const module = new WebAssembly.Module(wasm);
  const { exports } = new WebAssembly.Instance(module, { host: { memory } });
  const cellsOf = ({ dtype, offset, count }: StaticPort): Cells =>
    new (dtype === 'float32' ? Float32Array : Int32Array)(memory.buffer, offset, count);
  const named = (ports: readonly StaticPort[]) => new Map(ports.map((port) => [port.name, cellsOf(port)] as const));
  return { module, memory, run: exports['run'] as () => void, inputs: named(inputs), outputs: named(outputs) };
}
