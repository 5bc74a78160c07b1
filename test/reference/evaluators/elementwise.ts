/** Evaluates the ops that compute element by element. */
import type { DType, OpType } from '../../../training/graph/index.ts';
import { broadcast, build, type NdArray, range, read, readBroadcast } from '../ndarray.ts';
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

/** erf x = 2 / √π e^(−x²) Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1)): https://dlmf.nist.gov/7.6.E2 */
function erf(x: number): number {
  let term = x;
  const sum = range(100).reduce((total, n) => {
    const added = total + term;
    term *= (2 * x * x) / (2 * n + 3);
    return added;
  }, 0);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const elementwise = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b, dtype) => (isFloat(dtype) ? a / b : Math.trunc(a / b))),
  Neg: unary((x) => -x),
  Max: binary((a, b) => Math.max(a, b)),
  HardSigmoid: ([X], { alpha, beta }) => [
    { shape: X.shape, data: X.data.map((x) => Math.max(0, Math.min(1, alpha * x + beta))) },
  ],
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Erf: unary(erf),
  LeakyRelu: ([X], { alpha }) => [{ shape: X.shape, data: X.data.map((x) => (x > 0 ? x : alpha * x)) }],
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Tanh: unary(Math.tanh),
  Softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  Clip: ([input, min, max]) => [
    { shape: input.shape, data: input.data.map((x) => Math.min(Math.max(x, read(min, [])), read(max, []))) },
  ],
  Relu: unary((x) => Math.max(x, 0)),
  Equal: binary((a, b) => Number(a === b)),
  Greater: binary((a, b) => Number(a > b)),
  GreaterOrEqual: binary((a, b) => Number(a >= b)),
  IsNaN: unary((x) => Number(Number.isNaN(x))),
  Where: ([condition, X, Y]) => [
    build(broadcast(condition.shape, X.shape, Y.shape), (index) =>
      readBroadcast(readBroadcast(condition, index) !== 0 ? X : Y, index),
    ),
  ],
  Cast: ([input], { to }) => [cast(input, to)],
  Identity: ([input]) => [input],
} satisfies Partial<EvaluatorTable<OpType>>;
