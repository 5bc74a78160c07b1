/** One memory with everything that a step changes, and the compiled program that changes it there. */
import { CompileError, compilePasses, type PassProgram } from '../../compile/index.ts';
import { elementCount, unexpected } from '../../files/index.ts';
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

/** What changes a state, and where its numbers lie beside those of the layout. */
export interface Update {
  readonly program: PassProgram;
  readonly scalarsAt: number;
  readonly scalarCount: number;
  readonly finiteAt: number;
}

/** @returns undefined where the update is not covered by the compiler, the engine has no vectors, or the state is too large */
export function compileUpdate(layout: Layout, options: UpdateOptions): Update | undefined {
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
  try {
    const program = compilePasses(updateGraph(layout, options), { addresses, scratch: finiteAt + line });
    if (program.memoryBytes > mostBytes || !WebAssembly.validate(program.wasm)) return undefined;
    return { program, scalarsAt, scalarCount: names.length, finiteAt };
  } catch (error) {
    if (error instanceof CompileError) return undefined;
    throw error;
  }
}

/** @throws UserError where the machine does not have so much memory */
export function openMemory(layout: Layout, { program, scalarsAt, scalarCount, finiteAt }: Update): StateMemory {
  const memory = allocate(program.memoryBytes);
  const { buffer } = memory;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program.wasm), { host: { memory } });
  const finite = new Float32Array(buffer, finiteAt, 1);
  return {
    tensors: new Map(
      [...layout.tensors].map(([name, { address, shape }]) => {
        const data = new Float32Array(buffer, address, elementCount(shape));
        return [name, { dtype: 'float32', shape, data }] as const;
      }),
    ),
    scalars: new Float32Array(buffer, scalarsAt, scalarCount),
    update: exports['run'] as () => void,
    isFinite: () => finite[0] === 0,
  };
}

function allocate(bytes: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw unexpected('training', `${Math.ceil(bytes / 1e6)} MB of memory for the network's state`, 'less');
  }
}
