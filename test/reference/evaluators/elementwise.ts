import type { DType, OpType } from '../../../training/graph/index.ts';
import { broadcast, build, type NdArray, readBroadcast } from '../ndarray.ts';
import type { Evaluator, EvaluatorTable } from './evaluator.ts';

const unary =
  (f: (x: number) => number): Evaluator<'Neg'> =>
  ([X]) => [{ shape: X.shape, data: X.data.map(f) }];

const binary =
  (f: (a: number, b: number, dtype: DType) => number): Evaluator<'Add'> =>
  ([A, B], _, { dtype }) => [
    build(broadcast(A.shape, B.shape), (index) => f(readBroadcast(A, index), readBroadcast(B, index), dtype)),
  ];

const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64';

/** Floating-point types stay float64, so that the reference can be differentiated through them. */
function cast(input: NdArray, to: DType): NdArray {
  if (isFloat(to)) return input;
  return { shape: input.shape, data: input.data.map(to === 'bool' ? (x) => Number(x !== 0) : Math.trunc) };
}

export const elementwise = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b, dtype) => (isFloat(dtype) ? a / b : Math.trunc(a / b))),
  Neg: unary((x) => -x),
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Relu: unary((x) => Math.max(x, 0)),
  Equal: binary((a, b) => Number(a === b)),
  Greater: binary((a, b) => Number(a > b)),
  GreaterOrEqual: binary((a, b) => Number(a >= b)),
  Where: ([condition, X, Y]) => [
    build(broadcast(condition.shape, X.shape, Y.shape), (index) =>
      readBroadcast(readBroadcast(condition, index) !== 0 ? X : Y, index),
    ),
  ],
  Cast: ([input], { to }) => [cast(input, to)],
  Identity: ([input]) => [input],
} satisfies Partial<EvaluatorTable<OpType>>;
