/** Runs graphs compiled to passes over the test's own memory. */
import { compilePasses } from '../../../training/compile/index.ts';
import type { Graph, Value } from '../../../training/graph/index.ts';
import type { Arrays } from '../../reference/evaluate.ts';
import { sizeOf } from '../../reference/ndarray.ts';

const start = 1024;
const room = (value: Value): number => 16 * Math.ceil(sizeOf(value.shape.map(Number)) / 4);

export interface Passes {
  readonly run: () => void;
  readonly write: (feeds: Arrays) => void;
  readonly read: (name: string) => { readonly shape: readonly number[]; readonly data: Float64Array };
}

/**
 * @param inPlace returns the input whose memory an output overwrites, by the output's name; other outputs have their
 * own memory
 */
export function openPasses(graph: Graph, inPlace: (output: string) => string | undefined = () => undefined): Passes {
  const addresses = new Map<string, number>();
  let end = start;
  const place = (value: Value, at?: number): void => {
    addresses.set(value.name, at ?? end);
    if (at === undefined) end += room(value);
  };
  for (const value of graph.inputs) place(value);
  for (const value of graph.outputs) place(value, addresses.get(inPlace(value.name) ?? ''));
  const { wasm, memoryBytes } = compilePasses(graph, { addresses, scratch: end });
  const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / 65536) });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { host: { memory } });
  const views = new Map(
    [...graph.inputs, ...graph.outputs].map(({ name, shape }) => {
      const sizes = shape.map(Number);
      return [name, { sizes, cells: new Float32Array(memory.buffer, addresses.get(name), sizeOf(sizes)) }] as const;
    }),
  );
  const viewOf = (name: string) => views.get(name) ?? { sizes: [], cells: new Float32Array() };
  return {
    run: exports['run'] as () => void,
    write: (feeds) => {
      for (const [name, { data }] of Object.entries(feeds)) viewOf(name).cells.set(data);
    },
    read: (name) => ({ shape: viewOf(name).sizes, data: Float64Array.from(viewOf(name).cells) }),
  };
}
