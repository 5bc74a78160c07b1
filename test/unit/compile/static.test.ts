/** Graphs of known sizes, compiled whole, agree with the float64 interpreter. */
import { describe, expect, it } from 'vitest';
import { CompileError } from '../../../training/compile/index.ts';
import { checkGraph, graphBuilder, type Value } from '../../../training/graph/index.ts';
import { lower } from '../../../training/lowering/index.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { expectClose } from '../../reference/close.ts';
import { range } from '../../reference/ndarray.ts';
import { seeded } from '../../reference/random.ts';
import { opCases } from '../../reference/cases/index.ts';
import { feedsFor, forwardGraph, gradientGraph } from '../../reference/op-graphs.ts';
import { expectStatic, openStatic } from './run-static.ts';
import { present } from '../../../training/arrays/index.ts';

const tolerance = { rtol: 8e-6, ofLargest: 2e-6 };
const float32 = (shape: readonly number[]) => ({ dtype: 'float32', shape }) as const;

function noise(seed: number, shape: readonly number[]) {
  const random = seeded(seed);
  return {
    shape,
    data: Float64Array.from(range(shape.reduce((a, b) => a * b, 1)), () => Math.fround(2 * random() - 1)),
  };
}

describe('products of computed matrices', () => {
  const sizes = [1, 2, 5, 6, 7, 12, 13, 32];
  const cases = sizes.flatMap((m) => [1, 3, 4, 9, 40].flatMap((k) => [1, 3, 8, 10, 21, 136].map((n) => ({ m, k, n }))));
  it.each([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ] as const)('transA %i, transB %i: all sizes of tiles and panels', (transA, transB) => {
    for (const { m, k, n } of cases) {
      const g = graphBuilder();
      const A = g.input('A', float32(transA ? [k, m] : [m, k]));
      const B = g.input('B', float32(transB ? [n, k] : [k, n]));
      const C = g.input('C', float32([n]));
      const plain = g.Gemm(A, B, undefined, { transA, transB, alpha: 0.5 });
      const graph = checkGraph(g.build('product', { plain, biased: g.Gemm(A, B, C, { transA, transB }) }));
      const feeds = { A: noise(m, A.shape.map(Number)), B: noise(n, B.shape.map(Number)), C: noise(k, [n]) };
      expectStatic(graph, feeds, tolerance);
      expectStatic(graph, feeds, tolerance, { fma: true });
    }
  });

  it('stacks of matrices, some of which are used again', () => {
    const g = graphBuilder();
    const [A, B] = [g.input('A', float32([3, 2, 7, 5])), g.input('B', float32([2, 5, 9]))];
    const graph = checkGraph(g.build('stack', { y: g.MatMul(A, B) }));
    expectStatic(graph, { A: noise(1, [3, 2, 7, 5]), B: noise(2, [2, 5, 9]) }, tolerance);
  });
});

describe('an output in the place of an input', () => {
  const shape = [5, 6];
  const feeds = { x: noise(1, shape), other: noise(2, [6]) };
  const rows: readonly (readonly [string, (x: Value, other: Value, g: ReturnType<typeof graphBuilder>) => Value])[] = [
    ['of a chain over it', (x, _other, g) => g.Add(g.Mul(x, x), x)],
    ['of a chain with one number for each column', (x, other, g) => g.Add(g.Mul(x, other), x)],
    ['of a product with itself', (x, _other, g) => g.Gemm(g.Gemm(x, x, undefined, { transB: 1 }), x, undefined, {})],
    ['of its own rows in another order', (x, _other, g) => g.Gather(x, g.ints([4, 3, 2, 1, 0]), { axis: 0 })],
    ['that stays as it is', (x, _other, g) => g.Identity(x)],
  ];
  it.each(rows)('%s', (_name, emit) => {
    const g = graphBuilder();
    const [x, other] = [g.input('x', float32(shape)), g.input('other', float32([6]))];
    const y = emit(x, other, g);
    const graph = checkGraph(g.build('in place', { y, late: g.ReduceSum(x, g.ints([0]), { keepdims: 0 }) }));
    const program = openStatic(graph, { inPlace: new Map([['y', 'x']]) });
    program.write(feeds);
    let now = { ...feeds };
    for (const _round of range(3)) {
      const expected = evaluate(graph, now);
      program.run();
      const actual = program.read();
      for (const name of ['y', 'late']) expectClose(name, actual[name], present(expected[name]), { rtol: 1e-5 });
      now = { ...now, x: actual['y'] as never };
    }
  });
});

it('free sizes are refused by the input that has them', () => {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: ['N', 3] });
  const graph = checkGraph(g.build('free', { y: g.Relu(x) }));
  expect(() => openStatic(graph)).toThrow(new CompileError('x: expected sizes in numbers, got [N, 3]'));
});

/**
 * The refused cases, forward or backward, by the beginning of their names: those of other runtimes, of a single
 * picture, or of 64 bits.
 */
const refused = [
  ...[
    'Conv: ',
    'ConvTranspose: ',
    'MaxPool: ',
    'LayerNormalization: ',
    'Loop: ',
    'ScatterElements: ',
    'com.microsoft.',
  ],
  'AveragePool: ',
  'Add: int64 elements',
  'Cast: float32 to int64',
  'Cast: int64 to int32',
  'Cast: through float64',
  'Div: int64 elements',
  'ReduceSum: int32 elements',
  'SoftmaxCrossEntropyLoss: ',
];

describe('every op and its gradient are right, or refused by name', () => {
  it.each(opCases)('$name', (row) => {
    const graphs = [forwardGraph(row), ...(row.forwardOnly === undefined ? [gradientGraph(row)] : [])];
    for (const graph of graphs.map((each) => lower(each, 'compiled'))) {
      try {
        expectStatic(graph, feedsFor(row, graph), tolerance);
      } catch (error) {
        if (!(error instanceof CompileError)) throw error;
        expect(
          refused.filter((start) => row.name.startsWith(start)),
          error.message,
        ).not.toHaveLength(0);
      }
    }
  });
});

it('denormals are carried to the next run as zeros, and given as they are where nothing is carried', () => {
  const g = graphBuilder();
  const graph = checkGraph(g.build('halves', { y: g.Mul(g.input('x', float32([5])), g.scalar(0.5)) }));
  const halves = (options: Parameters<typeof openStatic>[1]) => {
    const program = openStatic(graph, options);
    program.write({ x: { shape: [5], data: Float64Array.of(2 ** -126, -(2 ** -148), 2 ** -125, NaN, -Infinity) } });
    program.run();
    return [...(program.read()['y']?.data ?? [])];
  };
  expect(halves({ inPlace: new Map([['y', 'x']]) })).toEqual([0, 0, 2 ** -126, NaN, -Infinity]);
  expect(halves({})).toEqual([2 ** -127, -(2 ** -149), 2 ** -126, NaN, -Infinity]);
});
