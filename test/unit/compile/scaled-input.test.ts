/**
 * Shifts and scales of a dense layer's whole input become part of the layer, where nothing else reads it and no
 * precision is lost.
 */
import { describe, expect, it } from 'vitest';
import { compile, compileToText } from '../../../training/compile/index.ts';
import { type Graph, graphBuilder, type GraphBuilder, type Value } from '../../../training/graph/index.ts';
import { range, sizeOf } from '../../reference/ndarray.ts';
import { seeded } from '../../reference/random.ts';
import { samplesFor } from './network-graph.ts';
import { expectReference } from './run-compiled.ts';

const shape = [3, 5];

interface Options {
  readonly bias?: boolean;
  readonly transB?: 0 | 1;
}

/** @param prepare builds what comes between the input `[N, 3, 5]` and the layer */
function graphOf(prepare: (g: GraphBuilder, x: Value) => Value, { bias = true, transB = 1 }: Options = {}): Graph {
  const random = seeded(4);
  const g = graphBuilder();
  const stored = (name: string, sizes: readonly number[]): Value =>
    g.initializer(name, {
      dtype: 'float32',
      shape: sizes,
      data: Float32Array.from(range(sizeOf(sizes)), () => 2 * random() - 1),
    });
  const x = g.input('x', { dtype: 'float32', shape: ['N', ...shape] });
  const W = stored('W', transB ? [9, 15] : [15, 9]);
  return g.build('scaled', { y: g.Gemm(prepare(g, x), W, bias ? stored('b', [9]) : undefined, { transB }) });
}

const number = (g: GraphBuilder, name: string, value: number, sizes: readonly number[] = []): Value =>
  g.initializer(name, { dtype: 'float32', shape: sizes, data: Float32Array.of(value) });

const flat = (g: GraphBuilder, x: Value): Value => g.Flatten(x, { axis: 1 });

type Prepare = (g: GraphBuilder, x: Value) => Value;

const taken: Readonly<Record<string, Prepare>> = {
  'x − μ over σ': (g, x) => flat(g, g.Div(g.Sub(x, number(g, 'μ', 0.4)), number(g, 'σ', 0.7, [1, 1]))),
  'a factor behind the shape': (g, x) => g.Mul(flat(g, x), number(g, 'c', -3)),
  'shapes between': (g, x) => g.Add(flat(g, g.Mul(x, number(g, 'c', 1 / 255))), number(g, 'd', -0.5, [1])),
};

const left: Readonly<Record<string, Prepare>> = {
  'a mean of many deviations': (g, x) => flat(g, g.Div(g.Sub(x, number(g, 'μ', 1000)), number(g, 'σ', 1))),
  'a factor of 0': (g, x) => g.Mul(flat(g, x), number(g, 'c', 0)),
  'a factor that leaves float32': (g, x) => g.Mul(flat(g, x), number(g, 'c', 2 ** 60)),
  'a number for each column': (g, x) =>
    g.Mul(
      flat(g, x),
      g.initializer('c', { dtype: 'float32', shape: [15], data: Float32Array.from(range(15), (i) => 1 + i) }),
    ),
  'what another node reads': (g, x) => {
    const scaled = g.Mul(flat(g, x), number(g, 'c', 2));
    return g.Add(scaled, g.Relu(scaled));
  },
};

const isAlone = (graph: Graph): boolean => !compileToText(graph).includes('elementwise');

describe('is part of the layer', () => {
  it.each(Object.entries(taken))('%s', async (_name, prepare) => {
    for (const options of [{}, { bias: false }, { transB: 0 }] as const) {
      const graph = graphOf(prepare, options);
      expect(isAlone(graph)).toBe(true);
      await expectReference(graph, samplesFor(graph, 3));
    }
  });
});

describe('is computed', () => {
  it.each(Object.entries(left))('%s', async (_name, prepare) => {
    const graph = graphOf(prepare);
    expect(isAlone(graph)).toBe(false);
    await expectReference(graph, samplesFor(graph, 3));
  });

  it('what is an output as well', async () => {
    const g = graphBuilder();
    const x = g.input('x', { dtype: 'float32', shape: ['N', 4] });
    const scaled = g.Mul(x, number(g, 'c', 2));
    const W = g.initializer('W', { dtype: 'float32', shape: [4, 2], data: Float32Array.from(range(8)) });
    const graph = g.build('both', { scaled, y: g.Gemm(scaled, W, undefined, {}) });
    expect((await compile(graph)).outputs.map(({ name }) => name)).toEqual(['scaled', 'y']);
    await expectReference(graph, samplesFor(graph, 2));
  });
});
