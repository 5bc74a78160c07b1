/**
 * Expresses Resize (nearest and linear) axis by axis: as Gathers of stored indices, and weighted sums of two of them.
 *
 * Source: https://github.com/onnx/onnx/blob/v1.19.0/docs/Operators.md#Resize
 */
import { at } from '../../arrays/index.ts';
import type { Shape } from '../types.ts';
import { axesFromFront, type Foreign, int, range, type Rule } from './foreign.ts';

/** Maps an element of the output to a coordinate on the input's axis. */
type Place = (i: number, axis: Resized) => number;

interface Resized {
  readonly axis: number;
  readonly size: number;
  readonly outputs: number;
  readonly scale: number;
}

const places: Readonly<Record<string, Place | undefined>> = {
  half_pixel: (i, { scale }) => (i + 0.5) / scale - 0.5,
  asymmetric: (i, { scale }) => i / scale,
  align_corners: (i, { size, outputs }) => (outputs === 1 ? 0 : (i * (size - 1)) / (outputs - 1)),
  pytorch_half_pixel: (i, { scale, outputs }) => (outputs > 1 ? (i + 0.5) / scale - 0.5 : 0),
  half_pixel_symmetric: (i, { size, outputs, scale }) => {
    const adjustment = outputs / (scale * size);
    return (size / 2) * (1 - adjustment) + (i + 0.5) / scale - 0.5;
  },
};

const nearest: Readonly<Record<string, ((place: number) => number) | undefined>> = {
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

const words = [
  ...['mode', 'coordinate_transformation_mode', 'nearest_mode', 'axes', 'cubic_coeff_a', 'exclude_outside'],
  ...['extrapolation_value', 'antialias', 'keep_aspect_ratio_policy'],
];

/** Returns the axes that change, by scales or by sizes. */
function resizedAxes(node: Foreign, shape: Shape): readonly Resized[] | undefined {
  const along = axesFromFront(node.intsOf('axes') ?? range(shape.length), shape.length);
  const [, , scales = '', sizes = ''] = node.inputs;
  const given = node.numbersOf(sizes === '' ? scales : sizes);
  if (given?.length !== along.length) return undefined;
  const axes = along.flatMap((axis, i): readonly (Resized | undefined)[] => {
    const [size, number] = [shape[axis], at(given, i)];
    if (sizes === '' && number === 1) return [];
    if (typeof size !== 'number') return [undefined];
    const outputs = sizes === '' ? Math.floor(size * number) : number;
    return outputs === size ? [] : [{ axis, size, outputs, scale: sizes === '' ? number : outputs / size }];
  });
  return axes.every((axis) => axis !== undefined && axis.outputs > 0) ? (axes as readonly Resized[]) : undefined;
}

function resize(node: Foreign): boolean {
  const transformation = node.textOf('coordinate_transformation_mode', 'half_pixel');
  const place = places[transformation];
  const round = nearest[node.textOf('nearest_mode', 'round_prefer_floor')];
  const mode = node.textOf('mode', 'nearest');
  const isPlain = node.intOf('antialias', 0) === 0 && node.textOf('keep_aspect_ratio_policy', 'stretch') === 'stretch';
  if (!place || !round || !isPlain || !node.hasOnly(...words) || (mode !== 'nearest' && mode !== 'linear'))
    return false;
  const shape = node.shapeOf(node.x);
  const axes = shape && resizedAxes(node, shape);
  // Runtimes disagree about the size where a scale does not give a whole number.
  const isWhole = axes?.every(({ size, scale, outputs }) => Math.abs(size * scale - outputs) < 1e-3) === true;
  if (
    !axes ||
    (!isWhole && transformation === 'align_corners') ||
    (mode === 'linear' && node.dtypeOf(node.x) !== 'float32')
  )
    return false;
  const x = axes.reduce((from, axis) => {
    const coordinates = range(axis.outputs).map((i) => place(i, axis));
    return mode === 'nearest'
      ? gather(node, from, axis, coordinates.map(round))
      : interpolate(node, from, axis, coordinates, shape.length);
  }, node.x);
  return node.end('Identity', [x]);
}

function gather(node: Foreign, x: string, { axis, size }: Resized, indices: readonly number[]): string {
  const within = indices.map((place) => Math.min(Math.max(place, 0), size - 1));
  return node.add('Gather', [x, node.ints(within)], [int('axis', axis)]);
}

/** (1 − f) x[⌊place⌋] + f x[⌊place⌋ + 1] */
function interpolate(node: Foreign, x: string, axis: Resized, coordinates: readonly number[], rank: number): string {
  const within = coordinates.map((place) => Math.min(Math.max(place, 0), axis.size - 1));
  const low = within.map(Math.floor);
  const shape = range(rank).map((i) => (i === axis.axis ? axis.outputs : 1));
  const part = (from: readonly number[], weights: readonly number[]): string =>
    node.add('Mul', [gather(node, x, axis, from), node.floats(weights, shape)]);
  const above = within.map((place, i) => place - at(low, i));
  return node.add('Add', [
    part(
      low,
      above.map((f) => 1 - f),
    ),
    part(
      low.map((place) => place + 1),
      above,
    ),
  ]);
}

export const resizing: Readonly<Record<string, Rule | undefined>> = { Resize: resize };
