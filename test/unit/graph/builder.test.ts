/** The builder names values, keeps what is needed, and refuses misuse at compile time. */
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  checkGraph,
  type GraphBuilder,
  graphBuilder,
  GraphError,
  printGraph,
  type Value,
} from '../../../training/graph/index.ts';
import { float, typed } from '../../reference/inputs.ts';

const pool = { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] } as const;

describe('names', () => {
  test('are made unique, and stay so when a made name is asked for', () => {
    const g = graphBuilder();
    const names = ['x', 'x', 'x_1', 'x', 'x_1'].map((name) => float(g, name).name);
    expect(names).toEqual(['x', 'x_1', 'x_1_1', 'x_2', 'x_1_2']);
  });

  test('carry the scopes they were made in', () => {
    const g = graphBuilder();
    const x = float(g, 'x', 2);
    const inner = g.scoped('block', () => g.scoped('conv1', () => g.Relu(x)));
    const outer = g.scoped('block', () => g.Neg(inner));
    expect([inner.name, outer.name, g.Neg(x).name]).toEqual(['block/conv1/Relu', 'block/Neg', 'Neg']);
  });

  test('of a body carry the scopes that the body was made in', () => {
    const g = graphBuilder();
    const b = g.scoped('block', () => g.body());
    expect(b.Neg(float(b, 'x', 2)).name).toBe('block/Neg');
  });

  test('leave a scope again when its step throws', () => {
    const g = graphBuilder();
    expect(() => g.scoped('broken', () => g.Add(float(g, 'a', 2), float(g, 'b', 3)))).toThrow(GraphError);
    expect(g.Neg(float(g, 'x')).name).toBe('Neg');
  });

  test('of further outputs count from the node’s', () => {
    const g = graphBuilder();
    const [Y, Indices] = g.MaxPool(float(g, 'x', 1, 1, 2, 2), pool);
    expect([Y.name, Indices.name]).toEqual(['MaxPool', 'MaxPool:1']);
  });

  test('of a body are unique in the graph around it', () => {
    const g = graphBuilder();
    float(g, 'x', 2);
    expect(float(g.body(), 'x', 2).name).toBe('x_1');
  });
});

describe('constants', () => {
  test('that are equal are one initializer, in bodies too', () => {
    const g = graphBuilder();
    const b = g.body();
    expect(g.scalar(2)).toBe(b.scalar(2));
    expect(g.ints([1, 2])).toBe(g.ints([1, 2]));
    expect(g.ints([1, 12])).not.toBe(g.ints([11, 2]));
    expect(g.scalar(1, 'int64')).not.toBe(g.ints([1]));
    expect(g.scalar(2).constant?.data).toEqual(Float32Array.of(2));
    expect(g.scalar(2, 'float64').constant?.data).toEqual(Float64Array.of(2));
    expect(g.scalar(-3, 'int64').constant?.data).toEqual(BigInt64Array.of(-3n));
  });
});

describe('build', () => {
  test('gives the outputs their names and keeps only what they need', () => {
    const g = graphBuilder();
    const [x, unused] = [float(g, 'x', 2), float(g, 'unused', 2)];
    const y = g.Mul(x, g.scalar(2));
    g.Exp(g.Add(unused, g.scalar(3)));
    expect(printGraph(g.build('double', { y }))).toMatchInlineSnapshot(`
      "double(x: float32[2], unused: float32[2]) {
        y: float32[2] = Mul(x, 2)
        return y
      }"
    `);
    expect(g.build('double', { again: y }).initializers.map(({ name }) => name)).toEqual(['float32(2)']);
  });

  test('renames an output wherever it is read', () => {
    const g = graphBuilder();
    const x = float(g, 'x', 2);
    const hidden = g.Relu(x);
    expect(printGraph(checkGraph(g.build('both', { hidden, y: g.Neg(hidden) })))).toMatchInlineSnapshot(`
      "both(x: float32[2]) {
        hidden: float32[2] = Relu(x)
        y: float32[2] = Neg(hidden)
        return hidden, y
      }"
    `);
  });

  test('has one object for a renamed output wherever it is read', () => {
    const g = graphBuilder();
    const hidden = g.Relu(float(g, 'x', 2));
    const { nodes, outputs } = g.build('same', { h: hidden, y: g.Neg(hidden) });
    expect(nodes[1]?.inputs[0]).toBe(nodes[0]?.outputs[0]);
    expect(outputs[0]).toBe(nodes[0]?.outputs[0]);
  });

  test('passes through inputs, initializers, and a value that is asked for twice', () => {
    const g = graphBuilder();
    const x = float(g, 'x', 2);
    const y = g.Relu(x);
    const graph = g.build('through', { copy: x, one: g.scalar(1), first: y, second: y });
    expect(printGraph(checkGraph(graph))).toMatchInlineSnapshot(`
      "through(x: float32[2]) {
        first: float32[2] = Relu(x)
        copy: float32[2] = Identity(x)
        one: float32[] = Identity(1)
        second: float32[2] = Identity(first)
        return copy, one, first, second
      }"
    `);
  });

  test('renames what a body captures, and keeps the nodes and initializers that only a body reads', () => {
    const g = graphBuilder();
    const x = float(g, 'x', 2);
    const captured = g.Relu(x);
    const b = g.body();
    typed(b, 'i', 'int64');
    const going = typed(b, 'going', 'bool');
    const state = float(b, 'state', 2);
    const body = b.build('step', { going_on: going, next: b.Add(state, b.Mul(captured, b.scalar(5))) });
    const [last] = g.Loop(g.scalar(3, 'int64'), typed(g, 'go', 'bool'), x, { body });
    if (!last) throw new Error('expected the state');
    expect(printGraph(checkGraph(g.build('loop', { relu: captured, last })))).toMatchInlineSnapshot(`
      "loop(x: float32[2], go: bool[]) {
        relu: float32[2] = Relu(x)
        last: float32[2] = Loop(3, go, x) {body: step(i: int64[], going: bool[], state: float32[2]) {
          Mul: float32[2] = Mul(relu, 5)
          next: float32[2] = Add(state, Mul)
          going_on: bool[] = Identity(going)
          return going_on, next
        }}
        return relu, last
      }"
    `);
    const graph = g.build('loop', { only_last: last });
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Relu', 'Loop']);
    expect(graph.initializers.map(({ name }) => name)).toEqual(['float32(5)', 'int64(3)']);
  });
});

describe('the types of the builder', () => {
  test('know how many outputs an op has', () => {
    expectTypeOf<ReturnType<GraphBuilder['Relu']>>().toEqualTypeOf<Value>();
    expectTypeOf<ReturnType<GraphBuilder['MaxPool']>>().toExtend<readonly [Value, Value]>();
    expectTypeOf<ReturnType<GraphBuilder['BatchNormalization']>>().toExtend<readonly [Value, Value, Value]>();
    expectTypeOf<ReturnType<GraphBuilder['Loop']>>().toEqualTypeOf<Value[]>();
  });

  test('refuse a wrong arity or attribute', () => {
    // This function is never called: the test is that it compiles, with an error on each marked line.
    const misuse = (g: GraphBuilder, x: Value) => {
      // @ts-expect-error a binary op takes two inputs
      g.Add(x);
      // @ts-expect-error a unary op takes one
      g.Relu(x, x);
      // @ts-expect-error the axis of Softmax must be given
      g.Softmax(x);
      // @ts-expect-error Gemm has no axis
      g.Gemm(x, x, undefined, { axis: 1 });
      // @ts-expect-error a bit is 0 or 1
      g.ReduceSum(x, x, { keepdims: 2 });
      // @ts-expect-error strides are missing
      g.MaxPool(x, { kernel_shape: [2, 2], pads: [0, 0, 0, 0] });
      // @ts-expect-error no such element type
      g.Cast(x, { to: 'float8' });
      // @ts-expect-error Pad repeats nothing
      g.Pad(x, x, { mode: 'edge' });
      // @ts-expect-error shapes are readonly
      x.shape[0] = 1;
    };
    expectTypeOf(misuse).toBeFunction();
  });
});
