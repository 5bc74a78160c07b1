/**
 * Comparisons of int64 in int32:
 *
 *     Equal(int64 A, int64 B)     becomes     Equal(int32 A, int32 B)
 *
 * The device has no wider integers, so that the runtime would compare on the host, with a copy in each direction. Only
 * integers that are known to fit are narrowed: class indices, casts from narrower types, and constants.
 */
import { type GraphBuilder, known, normalizeAxis, type OpNode, type Value } from '../../graph/index.ts';
import { patterns } from '../pattern.ts';
import { replacing, type Rewriter } from '../rewrite.ts';

const { ArgMax, Cast, Reshape } = patterns;

export const narrowIntegers = replacing({
  Equal: (g, { inputs }) => {
    if (inputs[0].dtype !== 'int64') return undefined;
    const [A, B] = inputs.map((value) => narrowed(g, value));
    return A && B && [g.Equal(A, B)];
  },
});

/** Returns the same numbers as int32, or undefined when they might not fit. */
function narrowed(g: Rewriter, value: Value): Value | undefined {
  const { constant } = value;
  if (constant) return narrowedConstant(g, value.name, constant.shape, Array.from(constant.data, Number));
  const cast = Cast('input').match(g, value);
  if (cast) return fromNarrower(g, cast.input);
  const reshape = Reshape('data', 'shape').match(g, value);
  const data = reshape && narrowed(g, reshape.data);
  if (data) return g.Reshape(data, reshape.shape);
  const largest = ArgMax('data').as('node').match(g, value);
  return largest && argMax(g, largest.node);
}

function narrowedConstant(g: GraphBuilder, name: string, shape: readonly number[], numbers: readonly number[]) {
  const data = Int32Array.from(numbers);
  return numbers.every((number, i) => data[i] === number)
    ? g.initializer(name, { dtype: 'int32', shape, data })
    : undefined;
}

function fromNarrower(g: GraphBuilder, value: Value): Value | undefined {
  if (value.dtype === 'int32') return value;
  return value.dtype === 'uint8' || value.dtype === 'bool' ? g.Cast(value, { to: 'int32' }) : undefined;
}

/** Emits K − max_k 1[x_k = max x] · (K − k), which is the first of equal elements, as ArgMax defines it. */
function argMax(g: GraphBuilder, { inputs: [data], attributes: { axis, keepdims } }: OpNode<'ArgMax'>): Value {
  const along = g.ints([axis]);
  const classAxis = normalizeAxis(axis, data.shape.length);
  const K = known('the classes', data.shape[classAxis]);
  const shape = data.shape.map((_, i) => (i === classAxis ? K : 1));
  const ranks = g.initializer('ranks', {
    dtype: 'float32',
    shape,
    data: Float32Array.from({ length: K }, (_, k) => K - k),
  });
  const isLargest = g.Cast(g.Equal(data, g.ReduceMax(data, along, { keepdims: 1 })), { to: 'float32' });
  const rank = g.ReduceMax(g.Mul(isLargest, ranks), along, { keepdims });
  return g.Cast(g.Sub(g.scalar(K), rank), { to: 'int32' });
}
