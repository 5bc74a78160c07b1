/** Products of two computed matrices agree with the float64 interpreter, whatever remainders their sizes leave. */
import { expect, it } from 'vitest';
import { type Graph, graphBuilder } from '../../../training/graph/index.ts';
import { range } from '../../reference/ndarray.ts';
import { seeded, seedOf } from '../../reference/random.ts';
import { expectStatic } from './run-static.ts';

/** The tolerance of sums in float32, of numbers below 1. */
const tolerance = { rtol: 1e-5, ofLargest: 1e-6 };

interface Row {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transA?: 1;
  readonly transB?: 1;
  readonly bias?: true;
}

const rows: readonly Row[] = [
  { m: 64, k: 37, n: 16, transB: 1, bias: true },
  { m: 5, k: 3, n: 11, transB: 1 },
  // These have one panel more than the rows of B that are read in place, and leave columns over.
  { m: 13, k: 9, n: 141, bias: true },
  { m: 31, k: 6, n: 128 },
  // These use tiles of two sizes, and have more rows than a block.
  { m: 37, k: 21, n: 39, transA: 1 },
  { m: 410, k: 70, n: 33, transA: 1 },
  { m: 60, k: 700, n: 17, transB: 1 },
  // These have too few columns or rows for tiles.
  { m: 40, k: 12, n: 3, transA: 1 },
  { m: 12, k: 12, n: 40, transA: 1, transB: 1 },
  { m: 50, k: 11, n: 45, transA: 1, transB: 1, bias: true },
  { m: 1, k: 8, n: 8 },
];

function graphOf({ m, k, n, transA, transB, bias }: Row): Graph {
  const g = graphBuilder();
  const input = (name: string, ...shape: readonly number[]) => g.input(name, { dtype: 'float32', shape });
  const A = transA ? input('a', k, m) : input('a', m, k);
  const B = transB ? input('b', n, k) : input('b', k, n);
  const attributes = { ...(transA && { transA }), ...(transB && { transB }), alpha: 0.5 };
  return g.build('product', { y: g.Gemm(A, B, bias ? input('c', n) : undefined, attributes) });
}

const feedsOf = ({ inputs }: Graph, name: string) => {
  const random = seeded(seedOf(name));
  return Object.fromEntries(
    inputs.map(({ name: input, shape }) => {
      const sizes = shape.map(Number);
      const count = sizes.reduce((product, size) => product * size, 1);
      return [input, { shape: sizes, data: Float64Array.from(range(count), () => Math.fround(random() - 0.5)) }];
    }),
  );
};

it.each(rows.map((row) => [JSON.stringify(row), row] as const))('of %s', (name, row) => {
  const graph = graphOf(row);
  for (const fma of [false, true]) expectStatic(graph, feedsOf(graph, name), tolerance, { fma });
  expect(graph.nodes.map(({ op }) => op)).toEqual(['Gemm']);
});

it('of stacks, whose second matrix may be one for all', () => {
  for (const [a, b] of [
    [
      [3, 9, 5],
      [3, 5, 7],
    ],
    [
      [2, 3, 9, 200],
      [3, 200, 131],
    ],
    [
      [4, 9, 6],
      [1, 6, 133],
    ],
  ] as const) {
    const g = graphBuilder();
    const y = g.MatMul(g.input('a', { dtype: 'float32', shape: a }), g.input('b', { dtype: 'float32', shape: b }));
    const graph = g.build('stack', { y });
    expectStatic(graph, feedsOf(graph, a.join()), tolerance);
  }
});
