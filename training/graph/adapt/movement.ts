/** Adapts ops that move elements: other exporters omit inputs, count from the end, or use other ops. */
import { at, elementCount, present } from '../../arrays/index.ts';
import type { Dim } from '../types.ts';
import { axesFromFront, axisFromFront, type Foreign, int, ints, range, type Rule } from './foreign.ts';

/** Returns a list that is an attribute in old opsets and an input in new ones. */
const listOf = (node: Foreign, name: string, input: number): readonly number[] | undefined =>
  node.input(input) === '' ? node.intsOf(name) : node.numbersOf(node.input(input));

function squeeze(node: Foreign): boolean {
  const shape = node.shapeOf(node.x);
  if (!shape || !node.hasOnly('axes')) return false;
  const given = node.input(1) === '' && !node.attribute('axes') ? undefined : listOf(node, 'axes', 1);
  if (node.input(1) !== '' && !given) return false;
  const axes = given ? axesFromFront(given, shape.length) : range(shape.length).filter((axis) => shape[axis] === 1);
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
  const axes = new Set(axesFromFront(given, rank));
  if (axes.size !== given.length || [...axes].some((axis) => axis < 0 || axis >= rank)) return false;
  const rest = [...shape];
  const wider = range(rank).map((axis): Dim => (axes.has(axis) ? 1 : present(rest.shift())));
  return node.endReshaped(node.x, wider);
}

/** Adds a slice whose output has this name, or one of its own where it is ''. */
const slice = (node: Foreign, x: string, axis: number, from: number, to: number, output: string): string =>
  node.add(
    'Slice',
    [x, ...[[from], [to], [axis], [1]].map((one) => node.ints(one))],
    [],
    output === '' ? undefined : [output],
  );

/** Replaces Split by slices: of given sizes, or of equal ones, the last of which may be smaller. */
function split(node: Foreign): boolean {
  const shape = node.shapeOf(node.x);
  const outputs = node.proto.output ?? [];
  if (!shape) return false;
  const axis = axisFromFront(node.intOf('axis', 0), shape.length);
  const size = shape[axis];
  if (typeof size !== 'number' || !node.hasOnly('axis', 'split', 'num_outputs')) return false;
  const given = listOf(node, 'split', 1);
  if (node.input(1) !== '' && !given) return false;
  const part = Math.ceil(size / outputs.length);
  const parts = given ?? outputs.map((_, i) => Math.min(part, size - i * part));
  if (parts.length !== outputs.length || parts.some((count) => count < 1)) return false;
  outputs.forEach((output, i) => {
    const from = parts.slice(0, i).reduce((sum, count) => sum + count, 0);
    slice(node, node.x, axis, from, from + at(parts, i), output);
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
  const along = axesFromFront(axes.length > 0 ? axes : range(starts.length), shape.length);
  const by = steps.length > 0 ? steps : along.map(() => 1);
  if ([starts, ends, by].some(({ length }) => length !== along.length)) return false;
  // The schema refuses steps of zero.
  if (!by.some((step) => step < 0))
    return node.end('Slice', [node.x, ...[starts, ends, along, by].map((list) => node.ints(list))]);
  const sizes = along.map((axis) => shape[axis]);
  if (by.includes(0) || !sizes.every((size) => typeof size === 'number')) return false;
  const places = along.map((_, i) => placesOf(at(sizes, i), at(starts, i), at(ends, i), at(by, i)));
  return gathered(node, along, places);
}

/** Returns the indices of a slice by Python's rules. */
function placesOf(size: number, start: number, end: number, step: number): readonly number[] {
  const bound = (index: number): number => {
    const place = index < 0 ? index + size : index;
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
      node.add('Gather', [x, node.ints(at(places, i))], [int('axis', axis)], i === last ? [node.out] : undefined),
    node.x,
  );
  return axes.length > 0 || node.end('Identity', [node.x]);
}

/** Maps each mode of padding to the element that it copies to a position before or after an axis. */
const sourceOf: Readonly<Record<string, ((position: number, size: number) => number) | undefined>> = {
  edge: (position, size) => Math.min(Math.max(position, 0), size - 1),
  wrap: (position, size) => ((position % size) + size) % size,
  reflect: (position, size) => {
    const period = Math.max(1, 2 * (size - 1));
    const source = ((position % period) + period) % period;
    return source < size ? source : period - source;
  },
};

function pad(node: Foreign): boolean {
  const shape = node.shapeOf(node.x);
  if (!shape) return false;
  const rank = shape.length;
  const [, , value = '', along = ''] = node.inputs;
  const [amounts, given] = [node.numbersOf(node.input(1)), along === '' ? range(rank) : node.numbersOf(along)];
  if (!amounts || !given || !node.hasOnly('mode') || amounts.length !== 2 * given.length) return false;
  const axes = axesFromFront(given, rank);
  const ofSide = (first: number): readonly number[] =>
    range(rank).map((axis) => (axes.includes(axis) ? at(amounts, first + axes.indexOf(axis)) : 0));
  const [before, after] = [ofSide(0), ofSide(axes.length)];
  const all = [...before, ...after];
  const padded = axes.filter((axis) => before[axis] !== 0 || after[axis] !== 0);
  if (padded.some((axis) => typeof shape[axis] !== 'number')) return false;
  const mode = node.textOf('mode', 'constant');
  if (mode === 'constant') {
    const number = value === '' ? 0 : node.numberOf(value);
    if (number === undefined) return false;
    // The schema refuses amounts of less than zero.
    const pads = node.ints(all);
    return number === 0 ? node.end('Pad', [node.x, pads]) : filled(node, number, pads, shape);
  }
  const source = sourceOf[mode];
  const exceeds = (axis: number): boolean => Math.max(at(before, axis), at(after, axis)) >= Number(shape[axis]);
  // Runtimes disagree about padding that is negative on one side and not on the other.
  const isCut = all.some((amount) => amount < 0);
  if (!source || isCut || padded.some(exceeds)) return false;
  const places = padded.map((axis) => {
    const [first, size] = [-at(before, axis), Number(shape[axis])];
    return range(size - first + at(after, axis)).map((i) => source(first + i, size));
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
  if (!times || times.length !== shape?.length || times.some((count) => count < 1)) return false;
  const axes = range(shape.length).filter((axis) => at(times, axis) > 1);
  const sizes = axes.map((axis) => shape[axis]);
  if (!sizes.every((size) => typeof size === 'number')) return false;
  const places = axes.map((axis, i) =>
    range(at(sizes, i) * at(times, axis)).map((position) => position % at(sizes, i)),
  );
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
