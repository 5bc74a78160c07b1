/** Evaluates the ops that move elements and compute nothing. */
import type { OpType } from '../../../training/graph/index.ts';
import {
  add,
  broadcast,
  build,
  dim,
  element,
  forEachIndex,
  fromFront,
  type NdArray,
  read,
  readBroadcast,
  sizeOf,
} from '../ndarray.ts';
import type { EvaluatorTable } from './evaluator.ts';

function concat(inputs: readonly NdArray[], axis: number): NdArray {
  const [first] = inputs;
  if (!first) throw new Error('Concat of nothing');
  const at = fromFront(axis, first.shape.length);
  const total = inputs.reduce((sum, { shape }) => sum + dim(shape, at), 0);
  return build(first.shape.with(at, total), (index) => {
    let offset = dim(index, at);
    for (const input of inputs) {
      const size = dim(input.shape, at);
      if (offset < size) return read(input, index.with(at, offset));
      offset -= size;
    }
    return NaN;
  });
}

function gather(data: NdArray, indices: NdArray, axis: number): NdArray {
  const at = fromFront(axis, data.shape.length);
  const rank = indices.shape.length;
  const shape = [...data.shape.slice(0, at), ...indices.shape, ...data.shape.slice(at + 1)];
  return build(shape, (index) => {
    const picked = read(indices, index.slice(at, at + rank));
    return read(data, [...index.slice(0, at), fromFront(picked, dim(data.shape, at)), ...index.slice(at + rank)]);
  });
}

/** `pads` is `[begin of each axis, …, end of each axis, …]`; a negative amount cuts off. */
function pad(data: NdArray, pads: Float64Array): NdArray {
  const rank = data.shape.length;
  const shape = data.shape.map((size, axis) => size + element(pads, axis) + element(pads, axis + rank));
  return build(shape, (index) => {
    const source = index.map((i, axis) => i - element(pads, axis));
    return source.every((i, axis) => i >= 0 && i < dim(data.shape, axis)) ? read(data, source) : 0;
  });
}

function reshape(data: NdArray, wanted: Float64Array): NdArray {
  const copied = [...wanted].map((size, axis) => (size === 0 ? dim(data.shape, axis) : size));
  const known = sizeOf(copied.filter((size) => size !== -1));
  return { shape: copied.map((size) => (size === -1 ? data.data.length / known : size)), data: data.data };
}

function scatterAdd(data: NdArray, indices: NdArray, updates: NdArray, axis: number): NdArray {
  const at = fromFront(axis, data.shape.length);
  const result = { shape: data.shape, data: data.data.slice() };
  forEachIndex(indices.shape, (index) => {
    const target = index.with(at, fromFront(read(indices, index), dim(data.shape, at)));
    add(result, target, read(updates, index));
  });
  return result;
}

/** Covers steps of at least 1. Negative bounds count from the end, and bounds are clamped to the axis. */
function slice(data: NdArray, starts: Float64Array, ends: Float64Array, axes: Float64Array, steps: Float64Array) {
  const first = data.shape.map(() => 0);
  const stride = data.shape.map(() => 1);
  const shape = [...data.shape];
  axes.forEach((axis, i) => {
    const size = dim(data.shape, axis);
    const bound = (at: number) => Math.min(Math.max(fromFront(at, size), 0), size);
    const [from, to, step] = [bound(element(starts, i)), bound(element(ends, i)), element(steps, i)];
    first[axis] = from;
    stride[axis] = step;
    shape[axis] = Math.max(Math.ceil((to - from) / step), 0);
  });
  return build(shape, (index) =>
    read(
      data,
      index.map((i, axis) => dim(first, axis) + i * dim(stride, axis)),
    ),
  );
}

export const movement = {
  Concat: (inputs, { axis }) => [concat(inputs, axis)],
  Expand: ([input, shape]) => [build(broadcast(input.shape, [...shape.data]), (index) => readBroadcast(input, index))],
  Flatten: ([input], { axis }) => {
    const at = fromFront(axis, input.shape.length);
    return [{ shape: [sizeOf(input.shape.slice(0, at)), sizeOf(input.shape.slice(at))], data: input.data }];
  },
  Gather: ([data, indices], { axis }) => [gather(data, indices, axis)],
  Pad: ([data, pads]) => [pad(data, pads.data)],
  Reshape: ([data, shape]) => [reshape(data, shape.data)],
  ScatterElements: ([data, indices, updates], { axis }) => [scatterAdd(data, indices, updates, axis)],
  Slice: ([data, starts, ends, axes, steps]) => [slice(data, starts.data, ends.data, axes.data, steps.data)],
  Transpose: ([data], { perm }) => [
    build(
      perm.map((axis) => dim(data.shape, axis)),
      (index) =>
        read(
          data,
          perm.map((_, axis) => dim(index, perm.indexOf(axis))),
        ),
    ),
  ],
} satisfies Partial<EvaluatorTable<OpType>>;
