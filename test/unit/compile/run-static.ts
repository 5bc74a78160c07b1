/** Runs graphs of known sizes, compiled whole, over the test's own memory. */
import { compileStatic, type StaticOptions, type StaticPort } from '../../../training/compile/index.ts';
import type { Graph } from '../../../training/graph/index.ts';
import { expectClose, type Tolerance } from '../../reference/close.ts';
import { type Arrays, evaluate } from '../../reference/evaluate.ts';
import type { NdArray } from '../../reference/ndarray.ts';

export interface Static {
  readonly write: (feeds: Arrays) => void;
  readonly run: () => void;
  readonly read: () => Record<string, NdArray>;
}

export function openStatic(graph: Graph, options: StaticOptions = {}): Static {
  const { wasm, memoryBytes, segments, inputs, outputs } = compileStatic(graph, options);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / 65536) });
  // NaN marks memory that was never written: it must not reach the results.
  new Float32Array(memory.buffer).fill(NaN);
  for (const { address, data } of segments) new Uint8Array(memory.buffer).set(data, address);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { host: { memory } });
  const cells = ({ dtype, offset, count }: StaticPort) =>
    new (dtype === 'float32' ? Float32Array : Int32Array)(memory.buffer, offset, count);
  const shapes = new Map(graph.outputs.map(({ name, shape }) => [name, shape.map(Number)]));
  return {
    write: (feeds) => {
      for (const port of inputs) {
        const data = feeds[port.name]?.data ?? [];
        cells(port).set(port.dtype === 'bool' ? Array.from(data, (x) => -x) : data);
      }
    },
    run: exports['run'] as () => void,
    read: () =>
      Object.fromEntries(
        outputs.map((port) => {
          const data = Float64Array.from(cells(port), (x) => (port.dtype === 'bool' ? Math.abs(x) : x));
          return [port.name, { shape: shapes.get(port.name) ?? [], data }];
        }),
      ),
  };
}

/** @throws an error that names the output, the element and both values */
export function expectStatic(graph: Graph, feeds: Arrays, within: Tolerance, options: StaticOptions = {}): void {
  const program = openStatic(graph, options);
  const expected = evaluate(graph, feeds);
  program.write(feeds);
  program.run();
  const actual = program.read();
  for (const { name } of graph.outputs) {
    const [reference, computed] = [expected[name], actual[name]];
    if (!reference || !computed) throw new Error(`${name}: no answer`);
    expectClose(name, computed, reference, within);
  }
}
