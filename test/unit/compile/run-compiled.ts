/** Runs compiled programs and compares them with the float64 interpreter. */
import { compile, type CompileOptions } from '../../../training/compile/index.ts';
import { start } from '../../../training/program/index.ts';
import type { Graph } from '../../../training/graph/index.ts';
import { expectClose, type Tolerance } from '../../reference/close.ts';
import { type Arrays, evaluate } from '../../reference/evaluate.ts';
import { sizeOf } from '../../reference/ndarray.ts';

/** The tolerance of float32 against float64. */
export const tolerance = { rtol: 5e-6, ofLargest: 2e-6 };

/** Returns the outputs of a compiled graph. A free first dimension of its first input is the batch. */
export async function runCompiled(graph: Graph, feeds: Arrays, options: CompileOptions = {}): Promise<Arrays> {
  const program = await compile(graph, options);
  const run = start(new WebAssembly.Module(program.wasm.slice()), program);
  const free = graph.inputs.find(({ shape }) => typeof shape[0] === 'string');
  const fixed = program.inputs.find(({ perSample }) => perSample)?.shape[0];
  const batch = free ? (feeds[free.name]?.shape[0] ?? 1) : typeof fixed === 'number' ? fixed : 1;
  const typed = graph.inputs.map(({ name, dtype }) => {
    const { data } = feeds[name] ?? { data: new Float64Array() };
    return [name, dtype === 'float32' ? Float32Array.from(data) : data] as const;
  });
  const answers = run(Object.fromEntries(typed), batch);
  return Object.fromEntries(
    program.outputs.map(({ name, shape }) => {
      const sizes = shape.map((dim) => (typeof dim === 'string' ? batch : dim));
      const data = Float64Array.from<number | bigint>(answers[name] ?? [], Number);
      if (data.length !== sizeOf(sizes)) throw new Error(`${name}: ${data.length} elements for [${sizes.join(', ')}]`);
      return [name, { shape: sizes, data }];
    }),
  );
}

/** @throws an error that names the output, the element and both values */
export async function expectReference(
  graph: Graph,
  feeds: Arrays,
  { within = tolerance, ...options }: CompileOptions & { readonly within?: Tolerance } = {},
): Promise<void> {
  const [actual, expected] = [await runCompiled(graph, feeds, options), evaluate(graph, feeds)];
  for (const { name } of graph.outputs) {
    const [reference, computed] = [expected[name], actual[name]];
    if (!reference || !computed) throw new Error(`${name}: no answer`);
    expectClose(name, computed, reference, within);
  }
}
