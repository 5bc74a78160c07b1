/** Shape rules of ops that move elements without computing on them. */
import { at } from '../../arrays/index.ts';
import type { OpType } from '../ops.ts';
import { type Dim, GraphError, type Shape, type Value } from '../types.ts';
import {
  broadcastShapes,
  commonDType,
  constantInts,
  expectDType,
  expectOneOf,
  expectRank,
  expectShape,
  formatShape,
  known,
  normalizeAxis,
  type SchemaTable,
  sizeOf,
} from './schema.ts';

/** Returns the product of the dimensions. A single symbolic one is allowed where all others are 1. */
function product(dims: Shape): Dim {
  const [first = 1, ...others] = dims.filter((dim) => dim !== 1);
  return others.length === 0 ? first : sizeOf([first, ...others]);
}

/** Returns the dimension that a zero in Reshape's `shape` keeps. */
function keptDim(shape: Shape, axis: number): Dim {
  const dim = shape[axis];
  if (dim === undefined)
    throw new GraphError(`expected a zero to keep an axis of ${formatShape(shape)}, got axis ${axis}`);
  return dim;
}

function concatenate(inputs: readonly { readonly shape: Shape }[], axis: number): Shape {
  const [first, ...others] = inputs.map(({ shape }) => shape);
  if (!first) throw new GraphError('expected at least one input');
  const joined = normalizeAxis(axis, first.length);
  const sizeAt = (shape: Shape) => known('the axis', shape[joined]);
  const total = others.reduce((size, shape) => size + sizeAt(shape), sizeAt(first));
  for (const shape of others) {
    if (shape.length !== first.length || shape.some((dim, i) => i !== joined && dim !== first[i])) {
      throw new GraphError(
        `expected shapes equal but for axis ${joined}, got ${formatShape(first)} and ${formatShape(shape)}`,
      );
    }
  }
  return first.with(joined, total);
}

export const movement = {
  Concat: {
    inputs: [1, Infinity],
    attributes: { axis: 'required' },
    infer: (inputs, { axis }) => [{ dtype: commonDType(inputs), shape: concatenate(inputs, axis) }],
  },
  Expand: {
    inputs: [2, 2],
    attributes: {},
    broadcasts: true,
    infer: ([input, shape]) => [
      { dtype: input.dtype, shape: broadcastShapes(input.shape, constantInts('shape', shape)) },
    ],
  },
  Flatten: {
    inputs: [1, 1],
    attributes: { axis: 1 },
    infer: ([input], { axis }) => [
      { dtype: input.dtype, shape: [product(input.shape.slice(0, axis)), product(input.shape.slice(axis))] },
    ],
  },
  Gather: {
    inputs: [2, 2],
    attributes: { axis: 0 },
    infer: ([data, indices], { axis }) => {
      expectDType('indices', indices, 'int32', 'int64');
      const along = normalizeAxis(axis, data.shape.length);
      const shape = [...data.shape.slice(0, along), ...indices.shape, ...data.shape.slice(along + 1)];
      return [{ dtype: data.dtype, shape }];
    },
  },
  /** `pads` is `[begin of each axis, …, end of each axis, …]`, each 0 or more. */
  Pad: {
    inputs: [2, 2],
    attributes: { mode: 'constant' },
    infer: ([data, pads], { mode }) => {
      expectOneOf('mode', mode, 'constant');
      const rank = data.shape.length;
      const amounts = constantInts('pads', pads);
      expectShape('pads', pads, [2 * rank]);
      if (amounts.some((amount) => amount < 0))
        throw new GraphError(`expected pads of 0 or more, got ${formatShape(amounts)}`);
      const shape = data.shape.map((dim, i) => {
        const amount = at(amounts, i) + at(amounts, i + rank);
        return amount === 0 ? dim : known('a padded axis', dim) + amount;
      });
      return [{ dtype: data.dtype, shape }];
    },
  },
  /**
   * Zero in `shape` keeps the input's dimension; one −1 takes the remaining elements, even where that is the symbolic
   * dimension.
   */
  Reshape: {
    inputs: [2, 2],
    attributes: {},
    infer: ([data, shape]) => {
      const wanted = constantInts('shape', shape).map((dim, i) => (dim === 0 ? keptDim(data.shape, i) : dim));
      const [symbol, ...more] = data.shape.filter((dim) => typeof dim === 'string');
      // Symbolic dimensions that are kept cancel out of the count.
      const count = (dims: Shape) => sizeOf(dims.filter((dim) => typeof dim === 'number' && dim !== -1));
      const isLeft = symbol !== undefined && more.length === 0 && !wanted.includes(symbol) && wanted.includes(-1);
      if (isLeft && count(wanted) === count(data.shape)) wanted[wanted.indexOf(-1)] = symbol;
      const inferred = wanted.map((dim) => (dim === -1 ? count(data.shape) / count(wanted) : dim));
      const symbols = (dims: Shape) => formatShape(dims.filter((dim) => typeof dim === 'string'));
      const whole = inferred.every((dim) => typeof dim === 'string' || Number.isInteger(dim));
      if (!whole || count(inferred) !== count(data.shape) || symbols(inferred) !== symbols(data.shape)) {
        throw new GraphError(`expected as many elements as ${formatShape(data.shape)}, got ${formatShape(inferred)}`);
      }
      return [{ dtype: data.dtype, shape: inferred }];
    },
  },
  ScatterElements: {
    inputs: [3, 3],
    attributes: { axis: 0, reduction: 'required' },
    infer: ([data, indices, updates], { axis, reduction }) => {
      expectOneOf('reduction', reduction, 'add');
      expectRank('indices', indices, data.shape.length);
      normalizeAxis(axis, data.shape.length);
      expectDType('indices', indices, 'int32', 'int64');
      expectShape('updates', updates, indices.shape);
      return [{ dtype: commonDType([data, updates]), shape: data.shape }];
    },
  },
  /**
   * Forward slices only: `starts[i]`, `ends[i]`, `steps[i]` ≥ 1 along `axes[i]`; negative bounds count from the end.
   */
  Slice: {
    inputs: [5, 5],
    attributes: {},
    infer: ([data, starts, ends, axes, steps]) => {
      const ints = (value: Value) => constantInts(value.name, value);
      const [from, to, along, by] = [ints(starts), ints(ends), ints(axes), ints(steps)] as const;
      if (by.some((step) => step < 1)) throw new GraphError(`expected steps of 1 or more, got ${formatShape(by)}`);
      if ([from, to, by].some(({ length }) => length !== along.length))
        throw new GraphError(`expected a start, an end and a step for each of the axes ${formatShape(along)}`);
      const shape = [...data.shape];
      along.forEach((axis, i) => {
        const dim = known('a sliced axis', shape[axis]);
        const bound = (index: number) => Math.min(Math.max(index < 0 ? index + dim : index, 0), dim);
        const length = bound(at(to, i)) - bound(at(from, i));
        shape[axis] = Math.max(Math.ceil(length / at(by, i)), 0);
      });
      return [{ dtype: data.dtype, shape }];
    },
  },
  Transpose: {
    inputs: [1, 1],
    attributes: { perm: 'required' },
    infer: ([data], { perm }) => {
      if (perm.toSorted((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== data.shape.length) {
        throw new GraphError(`expected perm to order the axes of ${formatShape(data.shape)}, got ${formatShape(perm)}`);
      }
      return [{ dtype: data.dtype, shape: perm.map((axis) => at(data.shape, axis)) }];
    },
  },
} satisfies Partial<SchemaTable<OpType>>;
