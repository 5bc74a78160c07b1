/** Makes up inputs for any model: every free dimension gets a size, every element a number. They are deterministic. */

import { at, elementCount, present } from '../../../training/arrays/index.ts';
import type { DType, Tensor, TensorData, Tensors, ValueInfo } from '../runtime/index.ts';
import type { Runtime } from '../bundle.ts';
import { MadeFeeds } from './made-feeds.ts';
import { setNumber } from './set-number.ts';

/**
 * Says how elements are chosen. `pixels`: whole numbers 0–255. `unit`: around zero. `special`: the edge cases of each
 * type.
 */
export type Fill = 'pixels' | 'unit' | 'special';

/** Sizes of the free dimensions: `all` for each, except those in `named`. */
export interface Sizes {
  readonly all: number;
  readonly named?: Readonly<Record<string, number>>;
  /** Counts the dimensions of inputs whose shape the file leaves open. Default: one. */
  readonly rank?: number;
}

/** Names the dimensions for which a model accepts one size only, with that size. */
export type PinnedSizes = Pick<Sizes, 'rank'> & { readonly named: NonNullable<Sizes['named']> };

export const nothingPinned: PinnedSizes = { named: {} };

const specialFloats = [NaN, Infinity, -Infinity, 0, -0, 1e38, -1e38, 1e-40, -1e-45, 3.4028234663852886e38, 1, 255];
/** Used as indices or sizes, most of these are out of every bound. Narrow types wrap them. */
const specialIntegers = [-1, 0, -(2 ** 31), 99, 1, -99];
/** Is not used for an input of a single number, which may count the iterations of a loop. */
const largeInteger = 2 ** 31 - 1;

const fillFloat: Readonly<Record<Fill, (random: () => number) => number>> = {
  pixels: (random) => Math.floor(random() * 256),
  unit: (random) => random() * 2 - 1,
  special: (random) => pick(specialFloats, random),
};

/** Integers are often indices: small ones may be valid. */
const fillInteger: Readonly<Record<Fill, (random: () => number, alone: boolean) => number>> = {
  pixels: (random) => Math.floor(random() * 8),
  unit: (random) => Math.floor(random() * 2),
  special: (random, alone) => pick(alone ? specialIntegers : [largeInteger, ...specialIntegers], random),
};

/** Caches the feeds of two models, one after the other, of pictures in batches of thousands. Bytes. */
const made = new MadeFeeds(48 * 2 ** 20);

/** Returns made-up feeds. They are cached and must not be written to. */
export function makeFeeds(runtime: Runtime, inputs: readonly ValueInfo[], sizes: Sizes, fill: Fill): Tensors {
  const wanted = inputs.map((input) => ({ dtype: input.dtype, shape: shapeOf(input, sizes) }));
  const tensors = made.recall(JSON.stringify([wanted, sizes.all, fill]), () => {
    const random = randomNumbers(sizes.all + inputs.length);
    return wanted.map((one) => makeTensor(runtime, one, fill, random));
  });
  return Object.fromEntries(tensors.map((tensor, i) => [at(inputs, i).name, tensor]));
}

/** Lists the names of the free dimensions, each once. Unnamed ones are called by input and axis. */
export function freeDimensions(inputs: readonly ValueInfo[], rank?: number): readonly string[] {
  const names = inputs.flatMap((input) =>
    axesOf(input, rank).map((dimension, axis) => freeName(input.name, dimension, axis)),
  );
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** Returns the shape, with `rank` free dimensions if the file leaves it open. */
export const axesOf = ({ shape, anyShape = false }: ValueInfo, rank = 1): ValueInfo['shape'] =>
  anyShape ? new Array<number>(rank).fill(-1) : shape;

/** Returns the name of a free dimension; undefined for a fixed one. */
export function freeName(input: string, dimension: number | string, axis: number): string | undefined {
  if (typeof dimension === 'string') return dimension;
  return dimension === -1 ? `${input}/${axis}` : undefined;
}

/** Counts the elements of all inputs together. */
export const elementsOf = (inputs: readonly ValueInfo[], sizes: Sizes): number =>
  inputs.reduce((sum, input) => sum + elementCount(shapeOf(input, sizes)), 0);

function shapeOf(input: ValueInfo, { all, named = {}, rank }: Sizes): readonly number[] {
  return axesOf(input, rank).map((dimension, axis) => {
    const free = freeName(input.name, dimension, axis);
    return free === undefined ? Number(dimension) : Object.hasOwn(named, free) ? (named[free] ?? all) : all;
  });
}

function makeTensor(
  runtime: Runtime,
  { dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>,
  fill: Fill,
  random: () => number,
): Tensor {
  const data = runtime.createData(dtype, elementCount(shape));
  fillData(data, dtype, fill, random);
  return { dtype, shape, data };
}

function fillData(data: TensorData, dtype: DType, fill: Fill, random: () => number): void {
  const chosen = chooser(data, dtype, fill, random);
  // Nearly all tensors are float32, with millions of elements: a loop that stores directly is many times as fast.
  if (data instanceof Float32Array) for (let i = 0; i < data.length; i++) data[i] = chosen();
  else for (let i = 0; i < data.length; i++) setNumber(data, dtype, i, chosen());
}

function chooser(data: TensorData, dtype: DType, fill: Fill, random: () => number): () => number {
  if (dtype.startsWith('float')) return fillFloat[fill].bind(undefined, random);
  return dtype === 'bool' ? () => Math.round(random()) : fillInteger[fill].bind(undefined, random, data.length === 1);
}

function pick(values: readonly number[], random: () => number): number {
  return present(values[Math.floor(random() * values.length)]);
}

/** Returns a generator of numbers in [0, 1): a linear congruential generator (Numerical Recipes). */
function randomNumbers(seed: number): () => number {
  // A variable in the closure would be allocated again for each number of more than 31 bits.
  const state = Uint32Array.of(seed);
  return () => {
    const next = (Math.imul(present(state[0]), 1664525) + 1013904223) >>> 0;
    state[0] = next;
    return next / 2 ** 32;
  };
}
