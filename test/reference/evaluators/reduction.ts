import type { OpType } from '../../../training/graph/index.ts';
import { add, build, dim, forEachIndex, fromFront, type Index, type NdArray, read, zeros } from '../ndarray.ts';
import type { EvaluatorTable } from './evaluator.ts';

/** Σ over `axes`; none given means all of them, as the specification says (`noop_with_empty_axes` 0). */
function sum(data: NdArray, axes: readonly number[], keepdims: 0 | 1): NdArray {
  const rank = data.shape.length;
  const folded = axes.length === 0 ? data.shape.map((_, axis) => axis) : axes.map((axis) => fromFront(axis, rank));
  const kept = zeros(data.shape.map((size, axis) => (folded.includes(axis) ? 1 : size)));
  forEachIndex(data.shape, (index) => {
    add(
      kept,
      index.map((i, axis) => (folded.includes(axis) ? 0 : i)),
      read(data, index),
    );
  });
  return keepdims ? kept : { shape: kept.shape.filter((_, axis) => !folded.includes(axis)), data: kept.data };
}

/** The first index of the largest element (`select_last_index` 0). */
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
  ArgMax: ([data], { axis, keepdims }) => [argMax(data, axis, keepdims)],
} satisfies Partial<EvaluatorTable<OpType>>;
