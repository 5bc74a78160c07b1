/** Sums of large tensors become one node each with the same results, as the float64 interpreter shows. */
import { describe, expect, it } from 'vitest';
import {
  type Graph,
  graphBuilder,
  type GraphBuilder,
  type Node,
  printGraph,
  type Value,
  sizeOf,
} from '../../../training/graph/index.ts';
import { blockedSums } from '../../../training/lowering/fast/blocked-sums.ts';
import { type Arrays, evaluate } from '../../reference/evaluate.ts';
import { channelBlock } from '../../reference/evaluators/convolution.ts';
import { seeded } from '../../reference/random.ts';

/** The tensors are large enough: 2¹⁴ elements. */
const [rows, columns] = [8, 2048];
const shapes = { x: [rows, columns], w: [rows, columns], number: [], perRow: [rows, 1], small: [8, 8] } as const;

type Inputs = Readonly<Record<keyof typeof shapes, Value>>;

function graphOf(emit: (g: GraphBuilder, inputs: Inputs) => Readonly<Record<string, Value>>): Graph {
  const g = graphBuilder();
  const inputs = Object.entries(shapes).map(([name, shape]) => [name, g.input(name, { dtype: 'float32', shape })]);
  return g.build('sums', emit(g, Object.fromEntries(inputs) as Inputs));
}

function feedsFor({ inputs }: Graph): Arrays {
  const random = seeded(7);
  return Object.fromEntries(
    inputs.map(({ name, shape }) => {
      const size = sizeOf(shape);
      return [name, { shape: shape.map(Number), data: Float64Array.from({ length: size }, () => 2 * random() - 1) }];
    }),
  );
}

/** Returns the names of the ops in order, without those that only move data. */
function opsOf({ nodes }: Graph): string[] {
  const isSeen = ({ op }: Node) => op === 'Reshape' || op === 'Expand' || op === 'Identity' || op === 'Neg';
  return nodes.filter((node) => !isSeen(node)).map(({ op }) => op.replace('com.microsoft.nchwc.Conv', 'Sum'));
}

const cases: readonly [about: string, emit: Parameters<typeof graphOf>[0], ops: readonly string[]][] = [
  ['a velocity', (g, { x, w, number }) => ({ y: g.Add(g.Mul(x, number), w) }), ['Sum']],
  ['the factor in front', (g, { x, w, number }) => ({ y: g.Add(w, g.Mul(number, x)) }), ['Sum']],
  ['a difference', (g, { x, w, number }) => ({ y: g.Sub(w, g.Mul(x, number)) }), ['Sum']],
  ['a line', (g, { x, number }) => ({ y: g.Add(g.Mul(x, number), g.scalar(0.5)) }), ['Sum']],
  ['a line for each row', (g, { x, perRow }) => ({ y: g.Relu(g.Add(g.Mul(x, perRow), perRow)) }), ['Sum']],
  ['a line and a sum', (g, { x, w, perRow }) => ({ y: g.Add(w, g.Add(g.Mul(x, perRow), perRow)) }), ['Sum']],
  ['a comparison', (g, { x, w }) => ({ y: g.HardSigmoid(g.Sub(x, w), { alpha: 2, beta: 0.5 }) }), ['Sum']],
  ['a sum in the memory of another', (g, { x, w }) => ({ y: g.Add(g.Sqrt(g.Mul(w, w)), x) }), ['Mul', 'Sqrt', 'Sum']],
  [
    'a ReLU of a sum that others read too',
    (g, { x, number }) => {
      const line = g.Add(g.Mul(x, number), number);
      return { y: g.Relu(line), line: g.Sqrt(g.Mul(line, line)) };
    },
    ['Sum', 'Relu', 'Mul', 'Sqrt'],
  ],
  ['not what is given and stays', (g, { x, w }) => ({ y: g.Add(x, w), z: g.Sub(x, w) }), ['Add', 'Sub']],
  ['not a small tensor', (g, { small, number }) => ({ y: g.Add(g.Mul(small, number), small) }), ['Mul', 'Add']],
  [
    'not a number of more axes, which the result gets too',
    (g, { x, number }) => ({ y: g.Add(g.Mul(x, g.Reshape(number, g.ints([1, 1, 1]))), g.scalar(0.5)) }),
    ['Mul', 'Add'],
  ],
  [
    'not numbers for each column',
    (g, { x, w }) => ({ y: g.Mul(g.Add(x, g.Slice(w, ...firstRow(g))), x) }),
    ['Slice', 'Add', 'Mul'],
  ],
];

const firstRow = (g: GraphBuilder) => [g.ints([0]), g.ints([1]), g.ints([0]), g.ints([1])] as const;

describe('large sums in blocks', () => {
  it.each(cases)('%s', (_, emit, ops) => {
    const graph = graphOf(emit);
    const lowered = blockedSums(channelBlock)(graph);
    expect(opsOf(lowered)).toEqual(ops);
    expectSame(graph, lowered);
  });

  it('reads as reviewed: a number for each row', () => {
    const graph = graphOf((g, { x, w, perRow }) => ({ y: g.Relu(g.Add(w, g.Mul(x, perRow))) }));
    expect(printGraph(blockedSums(16)(graph))).toMatchInlineSnapshot(`
      "sums(x: float32[8, 2048], w: float32[8, 2048], number: float32[], perRow: float32[8, 1], small: float32[8, 8]) {
        Reshape_5: float32[1, 128, 1, 128] = Reshape(x, [1, 128, 1, 128])
        Reshape_6: float32[8, 1] = Reshape(perRow, [8, 1])
        Expand_1: float32[8, 16] = Expand(Reshape_6, [8, 16])
        Reshape_7: float32[128, 1, 1, 1] = Reshape(Expand_1, [128, 1, 1, 1])
        Reshape_8: float32[1, 128, 1, 128] = Reshape(w, [1, 128, 1, 128])
        com.microsoft.nchwc.Conv_1: float32[1, 128, 1, 128] = com.microsoft.nchwc.Conv(Reshape_5, Reshape_7, _, Reshape_8) {kernel_shape: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 128, activation: Relu}
        y: float32[8, 2048] = Reshape(com.microsoft.nchwc.Conv_1, [8, 2048])
        return y
      }"
    `);
  });
});

function expectSame(before: Graph, after: Graph): void {
  const feeds = feedsFor(before);
  const [expected, got] = [evaluate(before, feeds), evaluate(after, feeds)];
  for (const [name, { shape, data }] of Object.entries(expected)) {
    expect(got[name]?.shape).toEqual(shape);
    data.forEach((value, i) => {
      const other = got[name]?.data[i] ?? NaN;
      expect(Math.abs(other - value), `${name}[${i}]: expected ${value}, got ${other}`).toBeLessThanOrEqual(1e-12);
    });
  }
}
