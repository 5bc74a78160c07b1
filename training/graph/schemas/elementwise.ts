/** Shape rules of ops that act on each element alone, with broadcasting. */
import type { OpType } from '../ops.ts';
import { type DType, type Shape, type TensorType } from '../types.ts';
import { broadcastShapes, commonDType, expectDType, expectShape, type OpSchema, type SchemaTable } from './schema.ts';

const broadcast = (values: readonly TensorType[]): Shape =>
  values.reduce<Shape>((shape, value) => broadcastShapes(shape, value.shape), []);

const unary: OpSchema<'Neg'> = { inputs: [1, 1], attributes: {}, infer: ([X]) => [X] };

const binary = (result?: DType): OpSchema<'Add'> => ({
  inputs: [2, 2],
  attributes: {},
  broadcasts: true,
  infer: (inputs) => {
    const dtype = commonDType(inputs);
    return [{ dtype: result ?? dtype, shape: broadcast(inputs) }];
  },
});

export const elementwise = {
  Add: binary(),
  Sub: binary(),
  Mul: binary(),
  Div: binary(),
  Neg: unary,
  Max: binary(),
  HardSigmoid: { inputs: [1, 1], attributes: { alpha: 0.2, beta: 0.5 }, infer: ([X]) => [X] },
  Sqrt: unary,
  Exp: unary,
  Log: unary,
  Erf: unary,
  Relu: unary,
  LeakyRelu: { inputs: [1, 1], attributes: { alpha: 0.01 }, infer: ([X]) => [X] },
  Sigmoid: unary,
  Tanh: unary,
  Softplus: unary,
  /** `min` and `max` are scalars. */
  Clip: {
    inputs: [3, 3],
    attributes: {},
    infer: ([input, min, max]) => {
      expectShape('min', min, []);
      expectShape('max', max, []);
      return [{ dtype: commonDType([input, min, max]), shape: input.shape }];
    },
  },
  Equal: binary('bool'),
  Greater: binary('bool'),
  GreaterOrEqual: binary('bool'),
  IsNaN: { inputs: [1, 1], attributes: {}, infer: ([X]) => [{ dtype: 'bool', shape: X.shape }] },
  Where: {
    inputs: [3, 3],
    attributes: {},
    broadcasts: true,
    infer: ([condition, X, Y]) => {
      expectDType('condition', condition, 'bool');
      return [{ dtype: commonDType([X, Y]), shape: broadcast([condition, X, Y]) }];
    },
  },
  Cast: {
    inputs: [1, 1],
    attributes: { to: 'required' },
    infer: ([input], { to }) => [{ dtype: to, shape: input.shape }],
  },
  Identity: unary,
} satisfies Partial<SchemaTable<OpType>>;

export type ElementwiseOp = keyof typeof elementwise;
export const elementwiseOps = Object.keys(elementwise) as readonly ElementwiseOp[];
