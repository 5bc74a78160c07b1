/** The driver does what all gradient rules share. */
import { describe, expect, test } from 'vitest';
import { gradients } from '../../../training/autodiff/index.ts';
import {
  checkGraph,
  type GraphBuilder,
  graphBuilder,
  GraphError,
  printGraph,
  type Value,
} from '../../../training/graph/index.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { float, typed } from '../../reference/inputs.ts';

const total = (g: GraphBuilder, value: Value): Value =>
  g.ReduceSum(value, g.ints(value.shape.map((_, axis) => axis)), { keepdims: 0 });

/** Returns the elements of every gradient of a loss of x = [1, 2, 3] and y = [4, 5, 6]. */
function gradientsOf(lossOf: (g: GraphBuilder, x: Value, y: Value) => Value, ...targets: readonly ('x' | 'y')[]) {
  const g = graphBuilder();
  const inputs = { x: float(g, 'x', 3), y: float(g, 'y', 3) };
  const loss = lossOf(g, inputs.x, inputs.y);
  const grads = gradients(
    g,
    loss,
    targets.map((name) => inputs[name]),
  );
  const graph = checkGraph(g.build('grads', Object.fromEntries(grads.map((value, i) => [`d${i}`, value]))));
  const feeds = {
    x: { shape: [3], data: Float64Array.of(1, 2, 3) },
    y: { shape: [3], data: Float64Array.of(4, 5, 6) },
  };
  const results = evaluate(graph, feeds);
  return targets.map((_, i) => [...(results[`d${i}`]?.data ?? [])]);
}

describe('a cotangent', () => {
  test('adds up over all uses of a value', () => {
    expect(gradientsOf((g, x) => total(g, g.Add(g.Mul(x, x), x)), 'x')).toEqual([[3, 5, 7]]);
  });

  test('adds up over uses on several paths', () => {
    const lossOf = (g: GraphBuilder, x: Value, y: Value) => {
      const shared = g.Mul(x, y);
      return total(g, g.Add(g.Neg(shared), g.Mul(shared, g.scalar(3))));
    };
    expect(gradientsOf(lossOf, 'x', 'y')).toEqual([
      [8, 10, 12],
      [2, 4, 6],
    ]);
  });

  test('of a target that is asked for twice is given twice', () => {
    expect(gradientsOf((g, x) => total(g, x), 'x', 'x')).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ]);
  });

  test('of a target inside the graph stops nothing behind it', () => {
    const g = graphBuilder();
    const x = float(g, 'x', 3);
    const hidden = g.Neg(x);
    const [dHidden, dX] = gradients(g, total(g, g.Mul(hidden, hidden)), [hidden, x]);
    const graph = g.build('grads', { dHidden: dHidden ?? x, dX: dX ?? x });
    const results = evaluate(graph, { x: { shape: [3], data: Float64Array.of(1, 2, 3) } });
    expect(results.dHidden?.data).toEqual(Float64Array.of(-2, -4, -6));
    expect(results.dX?.data).toEqual(Float64Array.of(2, 4, 6));
  });

  test('of the loss itself is 1', () => {
    const g = graphBuilder();
    const loss = total(g, float(g, 'x', 3));
    expect(gradients(g, loss, [loss])[0]?.constant?.data).toEqual(Float32Array.of(1));
  });

  test('is summed over the axes along which its primal was repeated, and keeps its shape', () => {
    const g = graphBuilder();
    const [bias, column, scale] = [float(g, 'bias', 3), float(g, 'column', 2, 1), float(g, 'scale')];
    const sum = g.Mul(g.Add(g.Add(float(g, 'x', 4, 2, 3), bias), column), scale);
    const grads = gradients(g, total(g, sum), [bias, column, scale]);
    expect(grads.map(({ shape }) => shape)).toEqual([[3], [2, 1], []]);
  });

  test('is summed over a symbolic number of samples', () => {
    const g = graphBuilder();
    const [x, bias] = [float(g, 'x', 'N', 3), float(g, 'bias', 3)];
    const weight = float(g, 'weight', 3, 3);
    const hidden = g.Gemm(x, weight, bias, { transB: 1 });
    const each = g.input('cotangent', hidden);
    // The loss is a product with a vector, so that no rule must know N.
    const [dBias] = gradients(g, lossOf(g, g.Mul(hidden, each)), [bias]);
    expect(dBias?.shape).toEqual([3]);
  });
});

/** Sums all elements of `[N, 3]` by matrix products. */
function lossOf(g: GraphBuilder, value: Value): Value {
  const rows = g.Gemm(float(g, 'rows', 1, 'N'), value);
  return g.Reshape(
    g.Gemm(rows, g.initializer('ones', { dtype: 'float32', shape: [3, 1], data: new Float32Array(3).fill(1) })),
    g.ints([]),
  );
}

describe('the emitted graph', () => {
  test('has no node for branches that the targets do not need', () => {
    const g = graphBuilder();
    const [x, y] = [float(g, 'x', 3), float(g, 'y', 3)];
    g.Exp(x);
    const [dX] = gradients(g, total(g, g.Add(g.Mul(x, y), g.Exp(y))), [x]);
    expect(printGraph(g.build('partial', { dX: dX ?? x }))).toMatchInlineSnapshot(`
      "partial(x: float32[3], y: float32[3]) {
        ReduceSum/grad/Reshape: float32[1] = Reshape(1, [1])
        ReduceSum/grad/Expand: float32[3] = Expand(ReduceSum/grad/Reshape, [3])
        dX: float32[3] = Mul(ReduceSum/grad/Expand, y)
        return dX
      }"
    `);
  });

  test('does not walk behind the targets', () => {
    const g = graphBuilder();
    const data = float(g, 'data', 5, 3);
    const weight = float(g, 'weight', 3);
    // Gather has no gradient, and needs none: no target flows through it.
    const batch = g.Gather(data, typed(g, 'rows', 'int64', 2), { axis: 0 });
    const before = g.nodes.length;
    gradients(g, total(g, g.Mul(batch, weight)), [weight]);
    expect(g.nodes.slice(before).filter(({ name }) => name.startsWith('Gather/'))).toEqual([]);
  });

  test('sums nothing for inputs that no target flows into', () => {
    const g = graphBuilder();
    const [x, bias] = [float(g, 'x', 2, 3), float(g, 'bias', 3)];
    const loss = total(g, g.Add(x, bias));
    const before = g.nodes.length;
    gradients(g, loss, [x]);
    expect(g.nodes.slice(before).filter(({ name }) => name.startsWith('Add/'))).toEqual([]);
  });

  test('names every node after the forward node it belongs to', () => {
    const g = graphBuilder();
    const x = float(g, 'x', 3);
    const loss = g.scoped('block1', () => total(g, g.Exp(x)));
    const before = g.nodes.length;
    gradients(g, loss, [x]);
    expect(g.nodes.slice(before).map(({ name }) => name)).toEqual([
      'block1/ReduceSum/grad/Reshape',
      'block1/ReduceSum/grad/Expand',
      'block1/Exp/grad/Mul',
    ]);
  });

  test('passes integers and comparisons by', () => {
    const lossOfMasked = (g: GraphBuilder, x: Value, y: Value) =>
      total(
        g,
        g.Where(g.Greater(x, g.scalar(1.5)), g.Mul(x, y), g.Cast(g.Cast(x, { to: 'int32' }), { to: 'float32' })),
      );
    expect(gradientsOf(lossOfMasked, 'x')).toEqual([[0, 5, 6]]);
  });
});

describe('gradients refuses', () => {
  const statistics = { epsilon: 1e-5, momentum: 0.9, training_mode: 1 } as const;
  const refused: readonly (readonly [about: string, emit: (g: GraphBuilder, x: Value) => Value, message: string])[] = [
    ['a loss that is a vector', (_g, x) => x, 'loss: expected float32[], got float32[4]'],
    [
      'a loss with an axis of one',
      (g, x) => g.ReduceSum(x, g.ints([0]), { keepdims: 1 }),
      'loss: expected float32[], got float32[1]',
    ],
    ['a loss of float64', (g, x) => g.Cast(total(g, x), { to: 'float64' }), 'loss: expected float32[], got float64[]'],
    [
      'a target that the loss does not depend on',
      (g) => total(g, float(g, 'y', 3)),
      'x: the loss does not depend on it',
    ],
    [
      'a target that it depends on through integers only',
      (g, x) => total(g, g.Cast(g.Greater(x, g.scalar(0)), { to: 'float32' })),
      'x: the loss does not depend on it',
    ],
    [
      'Gather on the way',
      (g, x) => total(g, g.Gather(x, typed(g, 'i', 'int64', 2), { axis: 0 })),
      'gradient of Gather: Gather reads the data set, which is not trained',
    ],
    [
      'ScatterElements on the way',
      (g, x) =>
        total(g, g.ScatterElements(x, typed(g, 'i', 'int64', 2), float(g, 'u', 2), { axis: 0, reduction: 'add' })),
      'gradient of ScatterElements: ScatterElements is emitted in gradients only',
    ],
    [
      'a Slice with steps',
      (g, x) => total(g, g.Slice(x, g.ints([0]), g.ints([4]), g.ints([0]), g.ints([2]))),
      'gradient of Slice: expected steps of 1',
    ],
    [
      'a Slice with steps along one of its axes',
      (g, x) => {
        const square = g.Reshape(x, g.ints([2, 2]));
        return total(g, g.Slice(square, g.ints([0, 0]), g.ints([2, 2]), g.ints([0, 1]), g.ints([1, 2])));
      },
      'gradient of Slice: expected steps of 1',
    ],
    [
      'Batch Norm that keeps old statistics',
      (g, x) => total(g, g.BatchNormalization(g.Reshape(x, g.ints([2, 2])), ...channels(g), statistics)[0]),
      'gradient of BatchNormalization: expected momentum 0 in training, got 0.9',
    ],
    [
      'a loss of the batch statistics',
      (g, x) =>
        total(g, g.BatchNormalization(g.Reshape(x, g.ints([2, 2])), ...channels(g), { ...statistics, momentum: 0 })[1]),
      'gradient of BatchNormalization: expected a gradient of Y, got one of running_mean or running_var alone',
    ],
    [
      'a reduction over a symbolic axis',
      (g, x) => total(g, g.Mul(x, g.ReduceMean(g.Add(x, float(g, 'n', 'N', 4)), g.ints([0]), { keepdims: 0 }))),
      'gradient of ReduceMean: expected an axis to be a known size, got N',
    ],
  ];

  test.each(refused)('%s', (_, emit, message) => {
    const g = graphBuilder();
    const x = float(g, 'x', 4);
    const loss = emit(g, x);
    expect(() => gradients(g, loss, [x])).toThrow(new GraphError(message));
  });

  test('a Loop on the way', () => {
    const g = graphBuilder();
    const x = float(g, 'x', 2);
    const b = g.body();
    typed(b, 'i', 'int64');
    const going = typed(b, 'going', 'bool');
    const state = b.input('state', x);
    const body = b.build('body', { going_on: going, next: b.Neg(state) });
    const [last = x] = g.Loop(g.scalar(3, 'int64'), typed(g, 'go', 'bool'), x, { body });
    const loss = total(g, last);
    expect(() => gradients(g, loss, [x])).toThrow(
      new GraphError('gradient of Loop: a Loop is differentiated inside its body'),
    );
  });
});

/** Returns scale, B, input_mean and input_var of two channels. */
function channels(g: GraphBuilder): readonly [Value, Value, Value, Value] {
  return [float(g, 'scale', 2), float(g, 'B', 2), float(g, 'mean', 2), float(g, 'var', 2)];
}
