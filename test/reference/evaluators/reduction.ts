/** Evaluates the ops that combine elements along axes. */
import type { OpType } from '../../../training/graph/index.ts';
import {
  build,
  dim,
  element,
  flatIndex,
  forEachIndex,
  fromFront,
  type Index,
  type NdArray,
  read,
  zeros,
} from '../ndarray.ts';
import type { EvaluatorTable } from './evaluator.ts';

/**
 * Combines the elements along `axes`. No axes mean all of them, as the specification says (`noop_with_empty_axes` 0).
 */
function fold(
  data: NdArray,
  axes: readonly number[],
  keepdims: 0 | 1,
  combine: (a: number, b: number) => number,
  start: number,
): NdArray {
  const rank = data.shape.length;
  const folded = axes.length === 0 ? data.shape.map((_, axis) => axis) : axes.map((axis) => fromFront(axis, rank));
  const shape = data.shape.map((size, axis) => (folded.includes(axis) ? 1 : size));
  const kept = { shape, data: zeros(shape).data.fill(start) };
  forEachIndex(data.shape, (index) => {
    const at = flatIndex(
      shape,
      index.map((i, axis) => (folded.includes(axis) ? 0 : i)),
    );
    kept.data[at] = combine(element(kept.data, at), read(data, index));
  });
  return keepdims ? kept : { shape: shape.filter((_, axis) => !folded.includes(axis)), data: kept.data };
}

const sum = (data: NdArray, axes: readonly number[], keepdims: 0 | 1): NdArray =>
  fold(data, axes, keepdims, (a, b) => a + b, 0);

/** Returns the first index of the largest element (`select_last_index` 0). */
function argMax(data: NdArray, axis: number, keepdims: 0 | 1): NdArray {
  const at = fromFront(axis, data.shape.length);
  const along = (index: Index, i: number) => read(data, index.with(at, i));
  const kept = build(data.shape.with(at, 1), (index) => {
    let best = 0;
    for (let i = 1; i < dim(data.shape, at); i += 1) if (along(index, i) > along(index, best)) best = i;
    return best;
  });
  return keepdims ? kept : { shape: kept.shape.toSpliced(at, 1), data: kept.data };
}

export const reduction = {
  ReduceSum: ([data, axes], { keepdims }) => [sum(data, [...axes.data], keepdims)],
  ReduceMean: ([data, axes], { keepdims }) => {
    const total = sum(data, [...axes.data], keepdims);
    const count = data.data.length / total.data.length;
    return [{ shape: total.shape, data: total.data.map((x) => x / count) }];
  },
  ReduceMax: ([data, axes], { keepdims }) => [fold(data, [...axes.data], keepdims, Math.max, -Infinity)],
  ArgMax: ([data], { axis, keepdims }) => [argMax(data, axis, keepdims)],
} satisfies Partial<EvaluatorTable<OpType>>;
