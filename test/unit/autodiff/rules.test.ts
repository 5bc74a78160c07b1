/** Every gradient rule is right: the emitted graph, evaluated in float64, agrees with central differences. */
import { describe, expect, test } from 'vitest';
import { gradients } from '../../../training/autodiff/index.ts';
import { type GraphBuilder, graphBuilder, type Value } from '../../../training/graph/index.ts';
import { opCases } from '../../reference/cases/index.ts';
import { expectClose } from '../../reference/close.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { centralDifferences, feedsFor, gradientGraph, lossGraph, targetsOf } from '../../reference/op-graphs.ts';

/** The tolerance for constants stored as float32 inside the graph (ε, 1/m, α), and for differences that are off by 10⁻¹⁰. */
const tolerance = { rtol: 5e-7, atol: 5e-10 };

describe('the gradient of each op equals central differences', () => {
  test.each(opCases.filter((row) => row.forwardOnly === undefined))('$name', (row) => {
    const graph = gradientGraph(row);
    const feeds = feedsFor(row, graph);
    const actual = evaluate(graph, feeds);
    for (const target of targetsOf(row)) {
      const name = `d_${target}`;
      const expected = centralDifferences(lossGraph(row), feeds, target);
      expectClose(name, actual[name], expected, tolerance);
    }
  });
});

describe('where there is no derivative', () => {
  function gradientAt(shape: readonly number[], data: readonly number[], emit: (g: GraphBuilder, x: Value) => Value) {
    const g = graphBuilder();
    const x = g.input('x', { dtype: 'float32', shape });
    const y = emit(g, x);
    const axes = g.ints(y.shape.map((_, axis) => axis));
    const [d_x = x] = gradients(g, g.ReduceSum(y, axes, { keepdims: 0 }), [x]);
    const results = evaluate(g.build('gradient', { d_x }), { x: { shape, data: Float64Array.from(data) } });
    return [...(results.d_x?.data ?? [])];
  }

  test('Relu gives 0 at 0', () => {
    expect(gradientAt([3], [-1, 0, 1], (g, x) => g.Relu(x))).toEqual([0, 0, 1]);
  });

  test('MaxPool gives the whole gradient of a tie to the first pixel, once for each window', () => {
    const attributes = { kernel_shape: [1, 2], strides: [1, 1], pads: [0, 0, 0, 0] };
    const emit = (g: GraphBuilder, x: Value) => g.MaxPool(x, attributes)[0];
    expect(gradientAt([1, 1, 1, 5], [2, 2, 2, 1, 1], emit)).toEqual([1, 1, 1, 1, 0]);
    expect(gradientAt([1, 1, 1, 3], [1, 5, 5], emit)).toEqual([0, 2, 0]);
  });
});
