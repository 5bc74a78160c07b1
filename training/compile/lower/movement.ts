/** Lowers ops that move elements: to pieces of a copy, or to another name for the same buffer. */
import { constantInts, type Node, normalizeAxis, type OpNode, type Value } from '../../graph/index.ts';
import { at } from '../../arrays/index.ts';
import type { Buffer } from '../buffer.ts';
import { broadcastStrides, stridesOf } from '../constant.ts';
import { uncovered } from '../error.ts';
import { numberOf } from '../expression/expression.ts';
import { laneTypeOf } from '../expression/of-node.ts';
import { copy, type Piece } from '../kernels/copy.ts';
import { elementwise } from '../kernels/elementwise.ts';
import { gather } from '../kernels/gather.ts';
import { aroundAxis, type Lowering, shapeOf, sizeOf } from './lowering.ts';

type Movement = OpNode<'Concat' | 'Expand' | 'Gather' | 'Pad' | 'Slice' | 'Transpose'>;

/** Reshaping leaves the elements where they are. */
export function lowerReshape(lowering: Lowering, node: OpNode<'Reshape' | 'Flatten'>): void {
  lowering.define(node.outputs[0], lowering.plain(node, node.inputs[0]));
}

export function lowerTranspose(lowering: Lowering, node: OpNode<'Transpose'>): void {
  const [data] = node.inputs;
  const strides = stridesOf(shapeOf(data));
  emit(lowering, node, [{ from: data, fromAt: 0, fromStrides: node.attributes.perm.map((axis) => at(strides, axis)) }]);
}

export function lowerExpand(lowering: Lowering, node: OpNode<'Expand'>): void {
  const [input] = node.inputs;
  emit(lowering, node, [
    { from: input, fromAt: 0, fromStrides: broadcastStrides(shapeOf(input), shapeOf(node.outputs[0])) },
  ]);
}

export function lowerSlice(lowering: Lowering, node: OpNode<'Slice'>): void {
  const [data, starts, , axes, steps] = node.inputs;
  const ints = (value: Value) => constantInts(value.name, value);
  const [from, by] = [ints(starts), ints(steps)];
  const shape = shapeOf(data);
  const strides = [...stridesOf(shape)];
  let fromAt = 0;
  ints(axes).forEach((given, i) => {
    const axis = normalizeAxis(given, shape.length);
    const [size, start, stride] = [at(shape, axis), at(from, i), at(strides, axis)];
    fromAt += Math.min(Math.max(start < 0 ? start + size : start, 0), size) * stride;
    strides[axis] = stride * at(by, i);
  });
  emit(lowering, node, [{ from: data, fromAt, fromStrides: strides }]);
}

export function lowerConcat(lowering: Lowering, node: OpNode<'Concat'>): void {
  const to = stridesOf(shapeOf(node.outputs[0]));
  const axis = normalizeAxis(node.attributes.axis, to.length);
  let toAt = 0;
  const moves = node.inputs.map((from): Move => {
    const counts = shapeOf(from);
    const move = { from, fromAt: 0, fromStrides: stridesOf(counts), counts, toAt };
    toAt += at(counts, axis) * at(to, axis);
    return move;
  });
  emit(lowering, node, moves);
}

export function lowerPad(lowering: Lowering, node: OpNode<'Pad'>): void {
  const [data, pads] = node.inputs;
  const amounts = constantInts('pads', pads);
  const counts = shapeOf(data);
  const to = stridesOf(shapeOf(node.outputs[0]));
  const toAt = to.reduce((offset, stride, axis) => offset + stride * at(amounts, axis), 0);
  emit(lowering, node, [{ from: data, fromAt: 0, fromStrides: stridesOf(counts), counts, toAt }], { zeros: true });
}

/**
 * Copies an image so that zeros lie between its pixels, as the strides require.
 *
 * @returns `wide`
 */
export function dilateImage(
  lowering: Lowering,
  node: OpNode<'ConvTranspose'>,
  wide: Value,
  strides: readonly number[],
): Value {
  const [image] = node.inputs;
  const counts = shapeOf(image);
  const toStrides = stridesOf(shapeOf(wide)).map((stride, axis) =>
    axis < 2 ? stride : stride * at(strides, axis - 2),
  );
  const move = { from: image, fromAt: 0, fromStrides: stridesOf(counts), counts, toStrides };
  emitTo(lowering, node, wide, [move], { zeros: true });
  return wide;
}

export function lowerGather(lowering: Lowering, node: OpNode<'Gather'>): void {
  const [data, indices] = node.inputs;
  const shape = shapeOf(data);
  const { outer, count: size, inner } = aroundAxis(shape, node.attributes.axis);
  const [output] = node.outputs;
  if (!indices.constant) {
    const [from, index] = [lowering.plain(node, data), lowering.plain(node, indices)];
    const count = sizeOf(indices);
    laneTypeOf(node, data);
    lowering.add(
      gather({
        about: output.name,
        data: from,
        indices: index,
        outer,
        size,
        inner,
        count,
        out: lowering.newPlain(output),
      }),
    );
    return;
  }
  const places = Array.from<number | bigint, number>(indices.constant.data, Number).map((index) => {
    if (index < -size || index >= size)
      throw uncovered(node, `expected indices from ${-size} to ${size - 1}, got ${index}`);
    return index < 0 ? index + size : index;
  });
  const moves = progressions(places).map(({ first, step, count, index: place }): Move => ({
    from: data,
    fromAt: first * inner,
    fromStrides: [size * inner, step * inner, 1],
    counts: [outer, count, inner],
    toAt: place * inner,
    toStrides: [places.length * inner, inner, 1],
  }));
  emit(lowering, node, moves);
}

interface Progression {
  readonly first: number;
  readonly step: number;
  readonly count: number;
  /** The position of the progression among the indices. */
  readonly index: number;
}

/** Divides indices into few runs of equal steps: 0 1 2 5 5 5 are 0 1 2 and 5 5 5. */
function progressions(indices: readonly number[]): readonly Progression[] {
  const runs: Progression[] = [];
  indices.forEach((place, index) => {
    const last = runs.at(-1);
    if (last?.count === 1) runs[runs.length - 1] = { ...last, step: place - last.first, count: 2 };
    else if (last && place === last.first + last.count * last.step)
      runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else runs.push({ first: place, step: 1, count: 1, index });
  });
  return runs;
}

/** A piece of a copy. Members that are absent are those of the whole output. */
type Move = Pick<Piece, 'fromAt' | 'fromStrides'> & Partial<Omit<Piece, 'from'>> & { readonly from: Value };

function emit(lowering: Lowering, node: Movement, moves: readonly Move[], options?: { readonly zeros: boolean }): void {
  emitTo(lowering, node, node.outputs[0], moves, options);
}

function emitTo(
  lowering: Lowering,
  node: Pick<Node, 'name' | 'op'>,
  output: Value,
  moves: readonly Move[],
  { zeros = false } = {},
): void {
  const shape = shapeOf(output);
  const sources = moves.map(({ from }): Buffer => lowering.plain(node, from));
  const out = lowering.newPlain(output);
  if (zeros) {
    lowering.add(
      elementwise({
        about: `${output.name}: zeros`,
        counts: [Math.ceil(out.count / 4)],
        operands: [],
        results: [{ buffer: out, tree: numberOf(0), walk: () => ({ offset: 0, strides: [16] }) }],
      }),
    );
  }
  const pieces = moves.map((move, i): Piece => ({
    counts: shape,
    toAt: 0,
    toStrides: stridesOf(shape),
    ...move,
    from: at(sources, i),
  }));
  lowering.add(copy(output.name, out, pieces));
}
