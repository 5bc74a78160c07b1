/** Ops that act on each element alone, with broadcasting. */
import { type DType, GraphError, type Shape, type TensorType } from '../types.ts';
import { broadcastShapes, commonDType, expectDType, type OpSchema, type SchemaTable } from './schema.ts';

const broadcast = (values: readonly TensorType[]): Shape =>
  values.reduce<Shape>((shape, value) => broadcastShapes(shape, value.shape), []);

const unary: OpSchema<'Neg'> = { infer: ([X]) => [X] };

const variadic: OpSchema<'Sum'> = {
  broadcasts: true,
  infer: (inputs) => [{ dtype: commonDType(inputs), shape: broadcast(inputs) }],
};

const binary = (result?: DType): OpSchema<'Add'> => ({
  broadcasts: true,
  infer: (inputs) => {
    const dtype = commonDType(inputs);
    return [{ dtype: result ?? dtype, shape: broadcast(inputs) }];
  },
});

export const elementwise = {
  Abs: unary,
  Add: binary(),
  Sub: binary(),
  Mul: binary(),
  Div: binary(),
  Max: variadic,
  Min: variadic,
  Sum: variadic,
  Neg: unary,
  Sqrt: unary,
  Exp: unary,
  Log: unary,
  Reciprocal: unary,
  Relu: unary,
  Clip: {
    infer: ([input, min, max]) => {
      for (const bound of [min, max]) {
        if (bound && bound.shape.length !== 0) throw new GraphError('expected min and max to be scalars');
      }
      return [input];
    },
  },
  HardSigmoid: unary,
  Equal: binary('bool'),
  Greater: binary('bool'),
  GreaterOrEqual: binary('bool'),
  Less: binary('bool'),
  Where: {
    broadcasts: true,
    infer: ([condition, X, Y]) => {
      expectDType('condition', condition, 'bool');
      return [{ dtype: commonDType([X, Y]), shape: broadcast([condition, X, Y]) }];
    },
  },
  Cast: { infer: ([input], { to }) => [{ dtype: to, shape: input.shape }] },
  Identity: unary,
} satisfies SchemaTable<
  | 'Abs'
  | 'Add'
  | 'Sub'
  | 'Mul'
  | 'Div'
  | 'Max'
  | 'Min'
  | 'Sum'
  | 'Neg'
  | 'Sqrt'
  | 'Exp'
  | 'Log'
  | 'Reciprocal'
  | 'Relu'
  | 'Clip'
  | 'HardSigmoid'
  | 'Equal'
  | 'Greater'
  | 'GreaterOrEqual'
  | 'Less'
  | 'Where'
  | 'Cast'
  | 'Identity'
>;
