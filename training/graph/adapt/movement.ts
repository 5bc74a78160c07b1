/** Adapts ops that move elements: other exporters omit inputs, count from the end, or use other ops. */
import { elementCount } from '../../arrays/index.ts';
import type { Dim } from '../types.ts';
import { type Foreign, fromFront, int, ints, range, type Rule } from './foreign.ts';

/** Returns a list that is an attribute in old opsets and an input in new ones. */
const listOf = (node: Foreign, name: string, input: number): readonly number[] | undefined =>
  node.input(input) === '' ? node.intsOf(name) : node.numbersOf(node.input(input));

function squeeze(node: Foreign): boolean {
  const shape = node.shapeOf(node.x);
  if (!shape || !node.hasOnly('axes')) return false;
  const given = node.input(1) === '' && !node.attribute('axes') ? undefined : listOf(node, 'axes', 1);
  if (node.input(1) !== '' && !given) return false;
  const axes = given ? fromFront(given, shape.length) : range(shape.length).filter((axis) => shape[axis] === 1);
  if (axes.some((axis) => shape[axis] !== 1)) return false;
  return node.endReshaped(
    node.x,
    shape.filter((_, axis) => !axes.includes(axis)),
  );
}

function unsqueeze(node: Foreign): boolean {
  const shape = node.shapeOf(node.x);
  const given = listOf(node, 'axes', 1);
  if (!shape || !given || !node.hasOnly('axes')) return false;
  const rank = shape.length + given.length;
  const axes = fromFront(given, rank);
  const rest = [...shape];
  const wider = range(rank).map((axis): Dim => (axes.includes(axis) ? 1 : (rest.shift() ?? 1)));
  return node.endReshaped(node.x, wider);
}

const slice = (node: Foreign, x: string, axis: number, from: number, to: number, output?: readonly string[]): string =>
  node.add(
    'Slice',
    [x, ...[[from], [to], [axis], [1]].map((one) => node.ints(one))],
    [],
    output?.[0] === '' ? undefined : output,
  );

/** Replaces Split by slices: of given sizes, or of equal ones, the last of which may be smaller. */
function split(node: Foreign): boolean {
  const shape = node.shapeOf(node.x);
  const outputs = node.proto.output ?? [];
  const [axis = 0] = fromFront([node.intOf('axis', 0)], shape?.length ?? 0);
  const size = shape?.[axis];
  if (typeof size !== 'number' || !node.hasOnly('axis', 'split', 'num_outputs')) return false;
  const given = listOf(node, 'split', 1);
  if (node.input(1) !== '' && !given) return false;
  const part = Math.ceil(size / outputs.length);
  const parts = given ?? outputs.map((_, i) => Math.min(part, size - i * part));
  if (parts.length !== outputs.length || parts.some((count) => count < 1)) return false;
  outputs.forEach((output, i) => {
    const from = parts.slice(0, i).reduce((sum, count) => sum + count, 0);
    slice(node, node.x, axis, from, from + (parts[i] ?? 0), [output]);
  });
  return true;
}

/** Completes omitted axes and steps, and replaces a slice with a negative step by Gather. */
function sliceRule(node: Foreign): boolean {
  const shape = node.shapeOf(node.x);
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((i) =>
    node.input(i) === '' ? [] : node.numbersOf(node.input(i)),
  );
  if (!shape || !starts || !ends || !axes || !steps || node.proto.attribute?.length) return false;
  const along = fromFront(axes.length > 0 ? axes : range(starts.length), shape.length);
  const by = along.map((_, i) => steps[i] ?? 1);
  if (by.every((step) => step > 0))
    return node.end('Slice', [node.x, ...[starts, ends, along, by].map((list) => node.ints(list))]);
  const sizes = along.map((axis) => shape[axis]);
  if (!sizes.every((size) => typeof size === 'number')) return false;
  const places = along.map((_, i) => placesOf(sizes[i] ?? 0, starts[i] ?? 0, ends[i] ?? 0, by[i] ?? 1));
  return gathered(node, along, places);
}

/** Returns the indices of a slice by Python's rules. */
function placesOf(size: number, start: number, end: number, step: number): readonly number[] {
  const bound = (at: number): number => {
    const place = at < 0 ? at + size : at;
    return step > 0 ? Math.min(Math.max(place, 0), size) : Math.min(Math.max(place, -1), size - 1);
  };
  const [from, to] = [bound(start), bound(end)];
  return range(Math.max(0, Math.ceil((to - from) / step))).map((i) => from + i * step);
}

/** Gathers stored indices along some axes, one axis after another. */
function gathered(node: Foreign, axes: readonly number[], places: readonly (readonly number[])[]): boolean {
  if (places.some(({ length }) => length === 0)) return false;
  const last = axes.length - 1;
  axes.reduce(
    (x, axis, i) =>
      node.add('Gather', [x, node.ints(places[i] ?? [])], [int('axis', axis)], i === last ? [node.out] : undefined),
    node.x,
  );
  return axes.length > 0 || node.end('Identity', [node.x]);
}

/** Maps a position before or behind an axis to the element that is copied there. */
const beyond: Readonly<Record<string, ((at: number, size: number) => number) | undefined>> = {
  edge: (at, size) => Math.min(Math.max(at, 0), size - 1),
  wrap: (at, size) => ((at % size) + size) % size,
  reflect: (at, size) => {
    const period = Math.max(1, 2 * (size - 1));
    const place = ((at % period) + period) % period;
    return place < size ? place : period - place;
  },
};

function pad(node: Foreign): boolean {
  const shape = node.shapeOf(node.x);
  const rank = shape?.length ?? 0;
  const [, , value = '', along = ''] = node.inputs;
  const [amounts, given] = [node.numbersOf(node.input(1)), along === '' ? range(rank) : node.numbersOf(along)];
  if (!shape || !amounts || !given || !node.hasOnly('mode') || amounts.length !== 2 * given.length) return false;
  const axes = fromFront(given, rank);
  const ofAll = [0, 1].map((side) =>
    range(rank).map((axis) => (axes.includes(axis) ? (amounts[axes.indexOf(axis) + side * axes.length] ?? 0) : 0)),
  );
  const [before = [], behind = []] = ofAll;
  const padded = axes.filter((axis) => before[axis] !== 0 || behind[axis] !== 0);
  if (padded.some((axis) => typeof shape[axis] !== 'number')) return false;
  const mode = node.textOf('mode', 'constant');
  if (mode === 'constant') {
    const number = value === '' ? 0 : node.numberOf(value);
    if (number === undefined || ofAll.flat().some((amount) => amount < 0)) return false;
    const all = node.ints(ofAll.flat());
    return number === 0 ? node.end('Pad', [node.x, all]) : filled(node, number, all, shape);
  }
  const place = beyond[mode];
  const reaches = (axis: number): boolean => Math.max(before[axis] ?? 0, behind[axis] ?? 0) >= Number(shape[axis]);
  // Runtimes disagree about padding that is negative on one side and not on the other.
  const isCut = ofAll.flat().some((amount) => amount < 0);
  if (!place || isCut || padded.some(reaches)) return false;
  const places = padded.map((axis) => {
    const [first, size] = [-(before[axis] ?? 0), Number(shape[axis])];
    return range(Math.max(0, size - first + (behind[axis] ?? 0))).map((i) => place(first + i, size));
  });
  return gathered(node, padded, places);
}

/** Pads with a number other than zero: it is chosen where padding a tensor of ones gives 0. */
function filled(node: Foreign, number: number, amounts: string, shape: readonly Dim[]): boolean {
  const sizes = shape.slice(1);
  if (node.dtypeOf(node.x) !== 'float32' || !sizes.every((dim) => typeof dim === 'number')) return false;
  const ones = node.floats(new Array<number>(elementCount(sizes)).fill(1), [1, ...sizes]);
  const isInside = node.add('Greater', [node.add('Pad', [ones, amounts]), node.scalar(0)]);
  return node.end('Where', [isInside, node.add('Pad', [node.x, amounts]), node.scalar(number)]);
}

function transpose(node: Foreign): boolean {
  const rank = node.shapeOf(node.x)?.length;
  if (node.attribute('perm') || rank === undefined) return false;
  return node.end('Transpose', [node.x], [ints('perm', range(rank).toReversed())]);
}

/**
 * Moves channels into blocks of pixels or back: reshapes, transposes by `perm` without the first axis, and reshapes.
 */
const blocks =
  (shapeFor: (C: number, H: number, W: number, b: number, mode: string) => Blocks | undefined): Rule =>
  (node) => {
    const [N, ...spatial] = node.shapeOf(node.x) ?? [];
    const [C, H, W] = spatial;
    const b = node.intOf('blocksize', 0);
    if (N === undefined || spatial.length !== 3 || b < 1 || !node.hasOnly('blocksize', 'mode')) return false;
    if (typeof C !== 'number' || typeof H !== 'number' || typeof W !== 'number') return false;
    const found = shapeFor(C, H, W, b, node.textOf('mode', 'DCR'));
    if (!found?.from.concat(found.to).every(Number.isInteger)) return false;
    const apart = node.reshaped(node.x, [N, ...found.from]);
    const turned = node.add('Transpose', [apart], [ints('perm', [0, ...found.perm])]);
    return node.endReshaped(turned, [N, ...found.to]);
  };

interface Blocks {
  readonly from: readonly number[];
  readonly perm: readonly number[];
  readonly to: readonly number[];
}

const depthToSpace = blocks((C, H, W, b, mode) => {
  const to = [C / b / b, H * b, W * b];
  if (mode === 'DCR') return { from: [b, b, C / b / b, H, W], perm: [3, 4, 1, 5, 2], to };
  return mode === 'CRD' ? { from: [C / b / b, b, b, H, W], perm: [1, 4, 2, 5, 3], to } : undefined;
});

const spaceToDepth = blocks((C, H, W, b, mode) => {
  const to = [C * b * b, H / b, W / b];
  return mode === 'DCR' ? { from: [C, H / b, b, W / b, b], perm: [3, 5, 1, 2, 4], to } : undefined;
});

/** Repeats a tensor along its axes. */
function tile(node: Foreign): boolean {
  const times = node.numbersOf(node.input(1));
  const shape = node.shapeOf(node.x);
  if (!times || !shape || times.some((count) => count < 1)) return false;
  const axes = range(shape.length).filter((axis) => (times[axis] ?? 1) > 1);
  const sizes = axes.map((axis) => shape[axis]);
  if (!sizes.every((size) => typeof size === 'number')) return false;
  const places = axes.map((axis, i) => range((sizes[i] ?? 1) * (times[axis] ?? 1)).map((at) => at % (sizes[i] ?? 1)));
  return gathered(node, axes, places);
}

export const movement: Readonly<Record<string, Rule | undefined>> = {
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Split: split,
  Slice: sliceRule,
  Pad: pad,
  Transpose: transpose,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Tile: tile,
};
