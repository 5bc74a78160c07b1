/** Graphs are printed as text. */
import { expect, test } from 'vitest';
import { graphBuilder, printGraph } from '../../../training/graph/index.ts';

test('a graph prints one node a line, with types, short constants and attributes', () => {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: ['N', 4] });
  const weight = g.initializer('weight', { dtype: 'float32', shape: [3, 4], data: new Float32Array(12) });
  const gamma = g.initializer('gamma', { dtype: 'float32', shape: [3], data: Float32Array.of(1, 0.1, 1 / 3) });
  const zeros = g.Expand(g.scalar(0), g.ints([3]));
  const hidden = g.Gemm(x, weight, undefined, { transB: 1, alpha: 0.1 });
  const attributes = { epsilon: 1e-5, momentum: 0.9, training_mode: 0 } as const;
  const [y] = g.BatchNormalization(hidden, gamma, zeros, zeros, gamma, attributes);
  expect(printGraph(g.build('digits', { y, flat: g.Reshape(y, g.ints([0, -1])) }))).toMatchInlineSnapshot(`
    "digits(x: float32[N, 4]) {
      Expand: float32[3] = Expand(0, [3])
      Gemm: float32[N, 3] = Gemm(x, weight) {transB: 1, alpha: 0.1}
      y: float32[N, 3], BatchNormalization:1: float32[3], BatchNormalization:2: float32[3] = BatchNormalization(Gemm, [1, 0.1, 0.3333333], Expand, Expand, [1, 0.1, 0.3333333]) {epsilon: 0.00001, momentum: 0.9, training_mode: 0}
      flat: float32[N, 3] = Reshape(y, [0, -1])
      return y, flat
    }"
  `);
});

test('a Loop prints its body', () => {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: [2] });
  const b = g.body();
  b.input('i', { dtype: 'int64', shape: [] });
  const going = b.input('going', { dtype: 'bool', shape: [] });
  const state = b.input('state', x);
  const body = b.build('body', { going_on: going, next: b.Mul(state, b.scalar(0.1)), scan: b.Neg(state) });
  const go = g.initializer('go', { dtype: 'bool', shape: [], data: Uint8Array.of(1) });
  const [last = x, scan = x] = g.Loop(g.scalar(3, 'int64'), go, x, { body });
  expect(printGraph(g.build('loop', { last, scan }))).toMatchInlineSnapshot(`
    "loop(x: float32[2]) {
      last: float32[2], scan_1: float32[M, 2] = Loop(3, 1, x) {body: body(i: int64[], going: bool[], state: float32[2]) {
        next: float32[2] = Mul(state, 0.1)
        scan: float32[2] = Neg(state)
        going_on: bool[] = Identity(going)
        return going_on, next, scan
      }}
      return last, scan_1
    }"
  `);
});

test('constants of up to eight elements are shown by value', () => {
  const g = graphBuilder();
  const eight = g.ints([1, 2, 3, 4, 5, 6, 7, 8]);
  const nine = g.initializer('nine', { dtype: 'int64', shape: [9], data: new BigInt64Array(9) });
  const text = printGraph(g.build('constants', { a: g.Neg(eight), b: g.Neg(nine) }));
  expect(text).toContain('Neg([1, 2, 3, 4, 5, 6, 7, 8])');
  expect(text).toContain('Neg(nine)');
});
