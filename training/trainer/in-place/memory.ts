/** One memory with everything that a step changes, and the compiled program that changes it there. */
import { CompileError, compilePasses, type PassProgram } from '../../compile/index.ts';
import { elementCount } from '../../files/index.ts';
import type { Tensor } from '../../graph/index.ts';
import { nextName } from '../program.ts';
import type { UpdateOptions } from '../update.ts';
import type { Layout } from './layout.ts';
import { finiteName, scalarNames, updateGraph } from './update-graph.ts';

export interface StateMemory {
  /** Views of the state, of the gradients and of the mini-batch's statistics, by name. */
  readonly tensors: ReadonlyMap<string, Tensor<'float32'>>;
  /** The host's numbers for the next update, in the order of their names. */
  readonly scalars: Float32Array;
  readonly update: () => void;
  /** Whether all that the last update has written are finite numbers. */
  readonly isFinite: () => boolean;
}

/** What a memory may have at most, in bytes: addresses have 32 bits. */
const mostBytes = 2 ** 32 - 65536;
const pageBytes = 65536;
const line = 64;

/** @returns undefined where the update is not covered by the compiler, the engine has no vectors, or the state is too large */
export function openMemory(layout: Layout, options: UpdateOptions): StateMemory | undefined {
  const names = scalarNames(options);
  const scalarsAt = layout.end;
  const finiteAt = scalarsAt + line * Math.ceil((4 * names.length) / line);
  const vectors = [...layout.vectors].map(([name, { address }]) => [name, address] as const);
  const addresses = new Map<string, number>([
    ...vectors,
    ...vectors.map(([name, address]) => [nextName(name), address] as const),
    ...names.map((name, i) => [name, scalarsAt + 4 * i] as const),
    [finiteName, finiteAt],
  ]);
  const started = startProgram(() =>
    compilePasses(updateGraph(layout, options), { addresses, scratch: finiteAt + line }),
  );
  if (!started) return undefined;
  const { run, buffer } = started;
  const finite = new Float32Array(buffer, finiteAt, 1);
  return {
    tensors: new Map(
      [...layout.tensors].map(([name, { address, shape }]) => {
        const data = new Float32Array(buffer, address, elementCount(shape));
        return [name, { dtype: 'float32', shape, data }] as const;
      }),
    ),
    scalars: new Float32Array(buffer, scalarsAt, names.length),
    update: run,
    isFinite: () => finite[0] === 0,
  };
}

function startProgram(compile: () => PassProgram) {
  try {
    const { wasm, memoryBytes } = compile();
    if (memoryBytes > mostBytes || !WebAssembly.validate(wasm)) return undefined;
    const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / pageBytes) });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { host: { memory } });
    return { run: exports['run'] as () => void, buffer: memory.buffer };
  } catch (error) {
    if (error instanceof CompileError) return undefined;
    throw error;
  }
}
