/** Lists the cases of ops that compute element by element. */
import type { DType, GraphBuilder, OpType, Value } from '../../../training/graph/index.ts';
import {
  type Case,
  type CaseTable,
  distinct,
  type Input,
  literal,
  nonzero,
  opCase,
  positive,
  uniform,
} from './case.ts';

type Draw = (...shape: readonly number[]) => Input;
type EmitBinary = (g: GraphBuilder, A: Value, B: Value) => Value;

/** Covers every way in which one side, the other, or both are repeated. */
const broadcasts: readonly (readonly [about: string, a: readonly number[], b: readonly number[]])[] = [
  ['equal shapes', [2, 3], [2, 3]],
  ['a scalar on the right', [2, 3], []],
  ['a scalar on the left', [], [2, 3]],
  ['two scalars', [], []],
  ['a missing axis on the right', [2, 3], [3]],
  ['a missing axis on the left', [3], [2, 3]],
  ['an axis of one in front', [2, 3], [1, 3]],
  ['an axis of one at the end', [2, 3], [2, 1]],
  ['an axis of one in the middle', [2, 1, 4], [2, 3, 4]],
  ['both sides at once', [2, 1, 3], [4, 1]],
  ['a leading axis of one', [1, 3], [3]],
  ['ones on both sides', [1, 1], [1, 1]],
];

const binary = (emit: EmitBinary, drawA: Draw = uniform, drawB: Draw = drawA): readonly Case[] =>
  broadcasts.map(([about, a, b]) => opCase(about, [drawA(...a), drawB(...b)], emit));

const integers = (emit: EmitBinary, dtype: DType): Case =>
  opCase(
    `${dtype} elements`,
    [literal(dtype, [2, 2], [7, 8, 9, 250]), literal(dtype, [2], [2, 3])],
    emit,
    'integers have no gradient',
  );

const twice = (emit: EmitBinary, draw: Draw = uniform): Case =>
  opCase('the same value on both sides', [draw(2, 3)], (g, x) => emit(g, x, x));

const unary = (emit: (g: GraphBuilder, X: Value) => Value, draw: Draw = uniform): readonly Case[] => [
  opCase('a matrix', [draw(2, 3)], emit),
  opCase('a scalar', [draw()], emit),
];

const comparison = (emit: EmitBinary): readonly Case[] => [
  ...broadcasts.map(([about, a, b]) =>
    opCase(about, [uniform(...a), uniform(...b)], emit, 'a comparison has no gradient'),
  ),
  opCase(
    'equal elements',
    [literal('float32', [3], [1, 2, 3]), literal('float32', [3], [0, 2, 4])],
    emit,
    'a comparison has no gradient',
  ),
  integers(emit, 'int64'),
  integers(emit, 'int32'),
];

const castFrom = (dtype: DType, to: DType, values: readonly number[]): Case =>
  opCase(
    `${dtype} to ${to}`,
    [literal(dtype, [values.length], values)],
    (g, x) => g.Cast(x, { to }),
    'nothing flows through integers',
  );

const mask = literal('bool', [2, 3], [1, 0, 0, 1, 1, 0]);

export const elementwise = {
  Add: [
    ...binary((g, a, b) => g.Add(a, b)),
    twice((g, a, b) => g.Add(a, b)),
    integers((g, a, b) => g.Add(a, b), 'int64'),
  ],
  Sub: [
    ...binary((g, a, b) => g.Sub(a, b)),
    twice((g, a, b) => g.Sub(a, b)),
    integers((g, a, b) => g.Sub(a, b), 'int32'),
  ],
  Mul: [
    ...binary((g, a, b) => g.Mul(a, b)),
    twice((g, a, b) => g.Mul(a, b)),
    integers((g, a, b) => g.Mul(a, b), 'uint32'),
  ],
  Div: [
    ...binary((g, a, b) => g.Div(a, b), uniform, nonzero),
    twice((g, a, b) => g.Div(a, b), nonzero),
    integers((g, a, b) => g.Div(a, b), 'int64'),
  ],
  Neg: unary((g, x) => g.Neg(x)),
  Max: broadcasts.map(([about, a, b]) =>
    opCase(about, [uniform(...a), uniform(...b)], (g, x, y) => g.Max(x, y), 'emitted in lowered gradients only'),
  ),
  HardSigmoid: [
    opCase(
      'a ramp and both ends',
      [uniform(4, 3)],
      (g, x) => g.HardSigmoid(x, { alpha: 1.5, beta: 0.4 }),
      'emitted in lowered gradients only',
    ),
    opCase(
      'a step: 1 above zero, else 0',
      [literal('float32', [5], [-2, -1e-20, 0, 1e-20, 2])],
      (g, x) => g.HardSigmoid(x, { alpha: 2 ** 126, beta: 0 }),
      'emitted in lowered gradients only',
    ),
  ],
  Sqrt: unary((g, x) => g.Sqrt(x), positive),
  Exp: unary((g, x) => g.Exp(x)),
  Log: unary((g, x) => g.Log(x), positive),
  Erf: unary((g, x) => g.Erf(x)),
  LeakyRelu: [
    ...unary((g, x) => g.LeakyRelu(x, { alpha: 0.01 }), nonzero),
    ...unary((g, x) => g.LeakyRelu(x, { alpha: 0.3 }), nonzero),
  ],
  Sigmoid: unary((g, x) => g.Sigmoid(x)),
  Tanh: unary((g, x) => g.Tanh(x)),
  Softplus: [
    ...unary((g, x) => g.Softplus(x)),
    opCase('large elements', [literal('float32', [4], [-100, -20, 20, 100])], (g, x) => g.Softplus(x)),
    opCase('zero', [literal('float32', [1], [0])], (g, x) => g.Softplus(x)),
  ],
  Clip: [
    opCase('both limits', [distinct(3, 5)], (g, x) => g.Clip(x, g.scalar(-0.32), g.scalar(0.28))),
    opCase('a scalar', [uniform()], (g, x) => g.Clip(x, g.scalar(-2), g.scalar(2))),
  ],
  Relu: unary((g, x) => g.Relu(x), nonzero),
  Equal: comparison((g, a, b) => g.Equal(a, b)),
  Greater: comparison((g, a, b) => g.Greater(a, b)),
  GreaterOrEqual: comparison((g, a, b) => g.GreaterOrEqual(a, b)),
  IsNaN: [
    opCase(
      'numbers and none',
      [literal('float32', [2, 2], [0, NaN, -1, NaN])],
      (g, x) => g.IsNaN(x),
      'a comparison has no gradient',
    ),
  ],
  Where: [
    opCase('equal shapes', [mask, uniform(2, 3), uniform(2, 3)], (g, c, x, y) => g.Where(c, x, y)),
    opCase('X is repeated', [mask, uniform(3), uniform(2, 3)], (g, c, x, y) => g.Where(c, x, y)),
    opCase('Y is repeated', [mask, uniform(2, 3), uniform(2, 1)], (g, c, x, y) => g.Where(c, x, y)),
    opCase('scalars', [mask, uniform(), uniform()], (g, c, x, y) => g.Where(c, x, y)),
    opCase('the condition is repeated', [mask, uniform(4, 1, 3), uniform(4, 2, 1)], (g, c, x, y) => g.Where(c, x, y)),
    opCase('a condition computed from the target', [distinct(2, 3)], (g, x) =>
      g.Where(g.Greater(x, g.scalar(0.02)), g.Mul(x, x), g.Neg(x)),
    ),
  ],
  Cast: [
    opCase('through float64', [uniform(2, 3)], (g, x) => g.Cast(g.Cast(x, { to: 'float64' }), { to: 'float32' })),
    castFrom('float32', 'int32', [-1.7, -0.2, 0, 0.9, 2.5]),
    castFrom('float32', 'int64', [-1.7, -0.2, 0, 0.9, 2.5]),
    castFrom('float32', 'bool', [-1, 0, 0.5]),
    castFrom('bool', 'float32', [0, 1]),
    castFrom('uint8', 'float32', [0, 1, 255]),
    castFrom('int64', 'int32', [-3, 0, 70_000]),
    castFrom('int32', 'uint32', [0, 5]),
  ],
  Identity: unary((g, x) => g.Identity(x)),
} satisfies Partial<CaseTable<OpType>>;
