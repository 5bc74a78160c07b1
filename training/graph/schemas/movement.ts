/** Shape rules of ops that move elements without computing on them. */
import type { OpType } from '../ops.ts';
import { type Dim, GraphError, type Shape } from '../types.ts';
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
  const rest = dims.filter((dim) => dim !== 1);
  return rest.length === 1 ? (rest[0] ?? 1) : sizeOf(rest);
}

function concatenate(inputs: readonly { readonly shape: Shape }[], axis: number): Shape {
  const [first, ...others] = inputs.map(({ shape }) => shape);
  if (!first) throw new GraphError('expected at least one input');
  const at = normalizeAxis(axis, first.length);
  const total = others.reduce((size, shape) => size + known('the axis', shape[at]), known('the axis', first[at]));
  for (const shape of others) {
    if (shape.length !== first.length || shape.some((dim, i) => i !== at && dim !== first[i])) {
      throw new GraphError(
        `expected shapes equal but for axis ${at}, got ${formatShape(first)} and ${formatShape(shape)}`,
      );
    }
  }
  return first.with(at, total);
}

export const movement = {
  Concat: {
    infer: (inputs, { axis }) => [{ dtype: commonDType(inputs), shape: concatenate(inputs, axis) }],
  },
  Expand: {
    broadcasts: true,
    infer: ([input, shape]) => [
      { dtype: input.dtype, shape: broadcastShapes(input.shape, constantInts('shape', shape)) },
    ],
  },
  Flatten: {
    infer: ([input], { axis }) => [
      { dtype: input.dtype, shape: [product(input.shape.slice(0, axis)), product(input.shape.slice(axis))] },
    ],
  },
  Gather: {
    infer: ([data, indices], { axis }) => {
      expectDType('indices', indices, 'int32', 'int64');
      const at = normalizeAxis(axis, data.shape.length);
      return [
        { dtype: data.dtype, shape: [...data.shape.slice(0, at), ...indices.shape, ...data.shape.slice(at + 1)] },
      ];
    },
  },
  /** `pads` is `[begin of each axis, …, end of each axis, …]`, each 0 or more. */
  Pad: {
    infer: ([data, pads], { mode }) => {
      expectOneOf('mode', mode, 'constant');
      const rank = data.shape.length;
      const amounts = constantInts('pads', pads);
      expectShape('pads', pads, [2 * rank]);
      if (amounts.some((amount) => amount < 0))
        throw new GraphError(`expected pads of 0 or more, got ${formatShape(amounts)}`);
      const shape = data.shape.map((dim, i) => {
        const amount = (amounts[i] ?? 0) + (amounts[i + rank] ?? 0);
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
    infer: ([data, shape]) => {
      const wanted = constantInts('shape', shape).map((dim, i) => (dim === 0 ? (data.shape[i] ?? 0) : dim));
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
    infer: ([data, starts, ends, axes, steps]) => {
      const [from, to, at, by] = [starts, ends, axes, steps].map((value) => constantInts(value.name, value));
      if (by?.some((step) => step < 1)) throw new GraphError(`expected steps of 1 or more, got ${formatShape(by)}`);
      const shape = [...data.shape];
      at?.forEach((axis, i) => {
        const dim = known('a sliced axis', shape[axis]);
        const bound = (index: number) => Math.min(Math.max(index < 0 ? index + dim : index, 0), dim);
        const length = bound(to?.[i] ?? dim) - bound(from?.[i] ?? 0);
        shape[axis] = Math.max(Math.ceil(length / (by?.[i] ?? 1)), 0);
      });
      return [{ dtype: data.dtype, shape }];
    },
  },
  Transpose: {
    infer: ([data], { perm }) => {
      if (perm.toSorted((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== data.shape.length) {
        throw new GraphError(`expected perm to order the axes of ${formatShape(data.shape)}, got ${formatShape(perm)}`);
      }
      return [{ dtype: data.dtype, shape: perm.map((axis) => data.shape[axis] ?? 0) }];
    },
  },
} satisfies Partial<SchemaTable<OpType>>;
