/**
 * Holds everything that a step changes in one memory, with the compiled program that updates it there, on as many
 * threads as share the memory.
 */
import { type RowFunction, RowThreads } from '../../backend/index.ts';
import { CompileError, compilePasses, partElements, type PassProgram } from '../../compile/index.ts';
import { elementCount } from '../../arrays/index.ts';
import { unexpected } from '../../files/index.ts';
import type { Tensor } from '../../graph/index.ts';
import { nextName } from '../loop-graph.ts';
import { scalarNames, type UpdateOptions } from '../update-inputs.ts';
import type { Layout } from './layout.ts';
import { finiteName, updateGraph } from './update-graph.ts';

export interface StateMemory {
  /** Views of the state, of the gradients and of the mini-batch's statistics, by name. */
  readonly tensors: ReadonlyMap<string, Tensor<'float32'>>;
  /** The host's numbers for the next update, in the order of their names. */
  readonly scalars: Float32Array;
  readonly update: () => Promise<void>;
  /** Is true when all values that the last update has written are finite. */
  readonly isFinite: () => boolean;
  readonly release: () => Promise<void>;
}

/** The maximum size of a memory, in bytes: addresses have 32 bits. */
const maxBytes = 2 ** 32 - 65536;
const maxPages = 65536;
const line = 64;

/** The minimum number of parts of a pass that threads share: to wake up a thread takes as long as a few dozen parts. */
const minSharedParts = 48;

/** Is true when a pass is long enough for threads to share it, judged by the elements of its vectors. */
export const isLarge = ({ vectors }: Layout): boolean =>
  [...vectors.values()].some(({ shape: [count = 0] }) => count >= minSharedParts * partElements);

/** The compiled update, and the addresses of its numbers, which lie after the layout. */
export interface Update {
  readonly program: PassProgram;
  readonly scalarsAt: number;
  readonly scalarCount: number;
  readonly finiteAt: number;
}

/**
 * @returns undefined where the compiler does not cover the update, the engine has no vector instructions, or the state
 * is too large
 */
export function compileUpdate(layout: Layout, options: UpdateOptions, isShared = false): Update | undefined {
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
    const placement = { addresses, scratch: finiteAt + line };
    const program = compilePasses(updateGraph(layout, options), placement, isShared ? maxPages : undefined);
    if (program.memoryBytes > maxBytes || !WebAssembly.validate(program.wasm)) return undefined;
    return { program, scalarsAt, scalarCount: names.length, finiteAt };
  } catch (error) {
    if (error instanceof CompileError) return undefined;
    throw error;
  }
}

/**
 * @param shared the number of threads that share the memory; undefined for an update that is not compiled to share it
 * @param onThreadEnd receives how one of them has ended
 * @throws UserError where the machine does not have so much memory
 */
export function openMemory(
  layout: Layout,
  { program, ...places }: Update,
  shared?: number,
  onThreadEnd?: (how: string) => void,
): StateMemory {
  const large = program.parts.flatMap((parts, i) =>
    parts >= minSharedParts ? [{ name: `pass${i}`, rows: parts, repeatable: false }] : [],
  );
  const threads = openThreads({ ...program, functions: large }, shared, onThreadEnd);
  const { exports, memory } = threads;
  const exported = (name: string) => exports[name] as (...args: readonly number[]) => void;
  const updateAlone = (): Promise<void> => {
    exported('run')();
    return Promise.resolve();
  };
  const updateTogether = async (): Promise<void> => {
    for (const [i, parts] of program.parts.entries()) {
      const index = large.findIndex(({ name }) => name === `pass${i}`);
      if (index >= 0) await threads.run(index);
      else if (parts > 0) exported(`pass${i}`)(0, parts);
      exported(`after${i}`)();
    }
    exported('copies')();
  };
  const finite = new Float32Array(memory.buffer, places.finiteAt, 1);
  return {
    tensors: new Map(
      [...layout.tensors].map(([name, { address, shape }]) => {
        const data = new Float32Array(memory.buffer, address, elementCount(shape));
        return [name, { dtype: 'float32', shape, data }] as const;
      }),
    ),
    scalars: new Float32Array(memory.buffer, places.scalarsAt, places.scalarCount),
    update: shared === undefined ? updateAlone : updateTogether,
    isFinite: () => finite[0] === 0,
    release: () => threads.release(),
  };
}

function openThreads(
  { wasm, memoryBytes, functions }: PassProgram & { readonly functions: readonly RowFunction[] },
  shared: number | undefined,
  onThreadEnd: ((how: string) => void) | undefined,
): RowThreads {
  try {
    return new RowThreads({ wasm, functions, segments: [], end: memoryBytes, ownBytes: 0 }, shared, onThreadEnd);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw unexpected('training', `${Math.ceil(memoryBytes / 1e6)} MB of memory for the network's state`, 'less');
  }
}
