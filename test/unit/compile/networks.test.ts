/** Every network compiles, and agrees with the float64 interpreter. */
import { describe, expect, it } from 'vitest';
import { compile, compileToText } from '../../../training/compile/index.ts';
import { graphBuilder } from '../../../training/graph/index.ts';
import {
  batchNorm,
  dense,
  dropout,
  flatten,
  gelu,
  heads,
  type Layer,
  layerNorm,
  leakyRelu,
  members,
  relu,
  residual,
  sigmoid,
  softmax,
  tanh,
} from '../../../training/network/index.ts';
import { type Described, networkGraph, samplesFor } from './network-graph.ts';
import { expectReference, runCompiled } from './run-compiled.ts';

const features = (...layers: readonly Layer[]): Described => ({ inputShape: [7], layers });

const networks: Readonly<Record<string, Described>> = {
  'one column of weights': features(dense(1)),
  'as many columns as fill vectors': features(dense(32)),
  'one more than fills vectors': features(dense(33)),
  'groups of columns and a rest': features(dense(100), dense(70)),
  'Batch Norm behind a product': features(dense(9), batchNorm(), relu()),
  'Batch Norm with nothing before it': features(batchNorm(), dense(5)),
  'Batch Norm behind an activation': features(dense(9), relu(), batchNorm(), dense(3)),
  'every activation': features(
    ...[dense(13), relu(), dense(12), leakyRelu(0.1), dense(11), sigmoid(), dense(10), tanh(), dense(9), gelu()],
    ...[dense(8), softmax(), dense(4)],
  ),
  'Layer Norm': features(dense(10), layerNorm(), gelu(), dense(3)),
  'dropout, which inference leaves out': features(dense(4), dropout(0.5), relu()),
  'a residual block': features(residual([dense(7), batchNorm(), relu(), dense(7)]), relu(), dense(2)),
  'a shortcut with weights': features(residual([dense(6), relu()], { shortcut: [dense(6), batchNorm()] }), dense(2)),
  members: features(members(3), dense(9), batchNorm(), relu(), dense(4), batchNorm(), relu(), heads(3)),
  'members behind a dense layer, with one logit': features(
    ...[dense(9), members(2), batchNorm(), relu(), dense(5), relu(), heads(1, { average: 'sigmoid' })],
  ),
  'members with a number': {
    ...features(members(5), dense(6), batchNorm(), relu(), heads(1)),
    standardizedTargets: true,
  },
  'pictures as vectors': { inputShape: [3, 5, 4], layers: [flatten(), dense(10), batchNorm(), relu(), dense(3)] },
  'inputs normalized by feature': {
    inputShape: [3, 5, 4],
    inputNormalization: 'feature',
    layers: [flatten(), dense(3)],
  },
  'targets in their own unit': { ...features(dense(6), relu(), dense(1)), standardizedTargets: true },
  'softmax over channels': { inputShape: [3, 5, 5], layers: [softmax(), flatten(), dense(3)] },
  'Layer Norm of images': { inputShape: [3, 5, 3], layers: [layerNorm(), flatten(), dense(3)] },
};

describe.each(Object.entries(networks))('%s', (_name, network) => {
  it.each([{ fma: false }, { fma: true }])('answers as the reference, %o', async (options) => {
    const graph = networkGraph(network);
    await expectReference(graph, samplesFor(graph, 3), options);
  });
});

describe.each<[string, Partial<Described>]>([
  ['a table', {}],
  [
    'a table in bins',
    { inputNormalization: 'robust', edges: [[-1, 0, 0.5, 2], [], [0, 1], [], [-0.5, 0.25, 1.75], []] },
  ],
])('%s', (_name, encoding) => {
  const table: Described = {
    inputShape: [6],
    categories: [0, 3, 0, 5, 0, 12],
    fills: [0.5, 1, null, 2, -3, null],
    indicators: [0, 4],
    layers: [dense(16), batchNorm(), relu(), dense(3)],
    ...encoding,
  };
  const graph = networkGraph(table);

  it('has categories, and gaps that are filled and told', async () => {
    // All columns have gaps except the two that may not have any.
    const rows = samplesFor(graph, 20, (random, i) =>
      random() < 0.3 && i % 6 !== 2 && i % 6 !== 5 ? NaN : Math.floor(3 * random()),
    );
    await expectReference(graph, rows);
  });

  it('keeps a gap that nothing fills: NaN in, NaN out', async () => {
    const rows = samplesFor(graph, 2, (_random, i) => (i === 2 ? NaN : 1));
    const { y } = await runCompiled(graph, rows);
    expect(Array.from(y?.data ?? [], (value) => Number.isNaN(value))).toEqual([true, true, true, false, false, false]);
  });
});

it('answers each sample by itself, whatever lies beside it', async () => {
  const graph = networkGraph(features(dense(9), batchNorm(), relu(), dense(4)));
  const samples = samplesFor(graph, 8);
  const together = (await runCompiled(graph, samples)).y?.data ?? [];
  for (const i of [0, 3, 7]) {
    const data = samples.x?.data.slice(7 * i, 7 * i + 7) ?? new Float64Array();
    const alone = (await runCompiled(graph, { x: { shape: [1, 7], data } })).y?.data ?? [];
    expect([...alone]).toEqual([...together.slice(4 * i, 4 * i + 4)]);
  }
});

it('takes a batch of one size where the file fixes it', async () => {
  const graph = networkGraph(features(dense(9), batchNorm(), relu(), dense(4)), 3);
  await expectReference(graph, samplesFor(graph, 3));
});

it('leaves out what no output needs, also what it would not cover', async () => {
  const graph = networkGraph(features(dense(9), relu()));
  const g = graphBuilder();
  const [x] = graph.inputs;
  if (!x) throw new Error('expected an input');
  const dead = g.build('dead', { unread: g.ReduceSum(x, g.ints([0]), { keepdims: 1 }) });
  const both = {
    ...graph,
    initializers: [...graph.initializers, ...dead.initializers],
    nodes: [...dead.nodes, ...graph.nodes],
  };
  await expectReference(both, samplesFor(graph, 3));
});

it('gives back what nothing is done to', async () => {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: ['N', 5] });
  const graph = g.build('same', { y: x, z: g.Neg(x) });
  await expectReference(graph, samplesFor(graph, 3));
});

it('gives the same bytes for the same graph', async () => {
  const graph = networkGraph(features(dense(9), batchNorm(), relu()));
  expect((await compile(graph)).wasm).toEqual((await compile(graph)).wasm);
});

it('is a module without imports that says what each step is for', async () => {
  const graph = networkGraph(features(dense(9), batchNorm(), relu()));
  const { wasm } = await compile(graph);
  expect(() => new WebAssembly.Instance(new WebAssembly.Module(wasm.slice()), {})).not.toThrow();
  const calls = compileToText(graph)
    .split('(func $run')[1]
    ?.split('\n')
    .filter((line) => line.includes(';;'));
  expect(calls?.map((line) => line.trim())).toEqual([';; input/Div: Sub, Div', ';; y: 7 → 9']);
});
