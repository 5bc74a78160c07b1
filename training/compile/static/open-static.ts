/** A compiled static program over a memory of its own, ready to run. */
import type { StaticPort, StaticProgram } from './compile-static.ts';

const pageBytes = 65536;

/** The elements of an input or output, in the program's memory. */
export type Cells = Float32Array | Int32Array;

export interface OpenProgram {
  /** Reads the inputs and writes the outputs, where they lie. */
  readonly run: () => void;
  readonly inputs: ReadonlyMap<string, Cells>;
  readonly outputs: ReadonlyMap<string, Cells>;
}

export function openStatic({ wasm, memoryBytes, segments, inputs, outputs }: StaticProgram): OpenProgram {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / pageBytes) });
  for (const { address, data } of segments) new Uint8Array(memory.buffer).set(data, address);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(wasm)), { host: { memory } });
  const cellsOf = ({ dtype, offset, count }: StaticPort): Cells =>
    new (dtype === 'float32' ? Float32Array : Int32Array)(memory.buffer, offset, count);
  const named = (ports: readonly StaticPort[]) => new Map(ports.map((port) => [port.name, cellsOf(port)] as const));
  return { run: exports['run'] as () => void, inputs: named(inputs), outputs: named(outputs) };
}
