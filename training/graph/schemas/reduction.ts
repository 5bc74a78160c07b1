/** Shape rules of ops that reduce one or more axes. */
import type { OpType } from '../ops.ts';
import { GraphError, type Shape } from '../types.ts';
import { constantInts, normalizeAxis, type OpSchema, type SchemaTable } from './schema.ts';

/** Requires at least one axis. ONNX reduces every axis where none is given, which an empty list hardly ever means. */
function expectAxes(axes: readonly number[]): readonly number[] {
  if (axes.length === 0) throw new GraphError('expected at least one axis');
  return axes;
}

function reduceShape(shape: Shape, axes: readonly number[], keepdims: 0 | 1): Shape {
  const reduced = new Set(axes.map((axis) => normalizeAxis(axis, shape.length)));
  return keepdims ? shape.map((dim, i) => (reduced.has(i) ? 1 : dim)) : shape.filter((_, i) => !reduced.has(i));
}

const reduceOverAxes: OpSchema<'ReduceSum'> = {
  inputs: [2, 2],
  attributes: { keepdims: 1 },
  infer: ([data, axes], { keepdims }) => [
    { dtype: data.dtype, shape: reduceShape(data.shape, expectAxes(constantInts('axes', axes)), keepdims) },
  ],
};

export const reduction = {
  ReduceMax: reduceOverAxes,
  ReduceMean: reduceOverAxes,
  ReduceSum: reduceOverAxes,
  ArgMax: {
    inputs: [1, 1],
    attributes: { axis: 0, keepdims: 1 },
    infer: ([data], { axis, keepdims }) => [{ dtype: 'int64', shape: reduceShape(data.shape, [axis], keepdims) }],
  },
} satisfies Partial<SchemaTable<OpType>>;
