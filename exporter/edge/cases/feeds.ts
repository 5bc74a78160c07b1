/** Made-up inputs for any model: every free dimension gets a size, every element a number. Deterministic. */

import type { DType, Tensor, TensorData, Tensors, ValueInfo } from '../runtime/index.ts';
import type { Runtime } from '../bundle.ts';
import { elementCount } from '../runtime/tensor.ts';
import { MadeFeeds } from './made-feeds.ts';
import { setNumber } from './set-number.ts';

/** How elements are chosen. `image`: whole numbers 0–255. `unit`: around zero. `special`: what a type has at its edges. */
export type Fill = 'image' | 'unit' | 'special';

/** Sizes of the free dimensions: one for all, except where a name has its own. */
export interface Sizes {
  readonly all: number;
  readonly named?: Readonly<Record<string, number>>;
  /** How many dimensions an input has of which the file does not say it; one where this is not given. */
  readonly rank?: number;
}

/** What is certain of the sizes that a model takes: the dimensions that have one right size, by name. */
export type Way = Pick<Sizes, 'rank'> & { readonly named: NonNullable<Sizes['named']> };

export const anyWay: Way = { named: {} };

const specialFloats = [NaN, Infinity, -Infinity, 0, -0, 1e38, -1e38, 1e-40, -1e-45, 3.4028234663852886e38, 1, 255];
/** As indices or sizes, most are out of every bound. Narrow types wrap them. */
const specialIntegers = [-1, 0, -(2 ** 31), 99, 1, -99];
/** Not for a number alone, which may be how often a loop is run. */
const largeInteger = 2 ** 31 - 1;

const fillFloat: Readonly<Record<Fill, (random: () => number) => number>> = {
  image: (random) => Math.floor(random() * 256),
  unit: (random) => random() * 2 - 1,
  special: (random) => pick(specialFloats, random),
};

/** Integers are often indices: small ones have a chance to be valid. */
const fillInteger: Readonly<Record<Fill, (random: () => number, alone: boolean) => number>> = {
  image: (random) => Math.floor(random() * 8),
  unit: (random) => Math.floor(random() * 2),
  special: (random, alone) => pick(alone ? specialIntegers : [largeInteger, ...specialIntegers], random),
};

/** Of two models, one after the other, of pictures in batches of thousands. Bytes. */
const made = new MadeFeeds(48 * 2 ** 20);

/** The same as before, where they have been made before: they are not to be written to. */
export function makeFeeds(runtime: Runtime, inputs: readonly ValueInfo[], sizes: Sizes, fill: Fill): Tensors {
  const wanted = inputs.map((input) => ({ dtype: input.dtype, shape: shapeOf(input, sizes) }));
  const tensors = made.recall(JSON.stringify([wanted, sizes.all, fill]), () => {
    const random = randomNumbers(sizes.all + inputs.length);
    return wanted.map((one) => makeTensor(runtime, one, fill, random));
  });
  return Object.fromEntries(tensors.map((tensor, i) => [inputs[i]?.name ?? '', tensor]));
}

/** Names of the free dimensions, each once. Unnamed ones are called by input and axis. */
export function freeDimensions(inputs: readonly ValueInfo[], rank?: number): readonly string[] {
  const names = inputs.flatMap((input) =>
    axesOf(input, rank).map((dimension, axis) => freeName(input.name, dimension, axis)),
  );
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** The shape, which has as many free dimensions as are asked for where the file does not say it. */
export const axesOf = ({ shape, anyShape = false }: ValueInfo, rank = 1): ValueInfo['shape'] =>
  anyShape ? new Array<number>(rank).fill(-1) : shape;

/** What a free dimension is called; undefined for a fixed one. */
export function freeName(input: string, dimension: number | string, axis: number): string | undefined {
  if (typeof dimension === 'string') return dimension;
  return dimension === -1 ? `${input}/${axis}` : undefined;
}

/** Of all inputs together. */
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
  const data = runtime.createData(dtype, runtime.elementCount(shape));
  fillData(data, dtype, fill, random);
  return { dtype, shape, data };
}

function fillData(data: TensorData, dtype: DType, fill: Fill, random: () => number): void {
  const chosen = chooser(data, dtype, fill, random);
  // As nearly all are, millions of elements in all: with a store of its own the loop is many times as fast.
  if (data instanceof Float32Array) for (let i = 0; i < data.length; i++) data[i] = chosen();
  else for (let i = 0; i < data.length; i++) setNumber(data, dtype, i, chosen());
}

function chooser(data: TensorData, dtype: DType, fill: Fill, random: () => number): () => number {
  if (dtype.startsWith('float')) return fillFloat[fill].bind(undefined, random);
  return dtype === 'bool' ? () => Math.round(random()) : fillInteger[fill].bind(undefined, random, data.length === 1);
}

function pick(values: readonly number[], random: () => number): number {
  return values[Math.floor(random() * values.length)] ?? 0;
}

/** Numbers in [0, 1) from a linear congruential generator (Numerical Recipes). */
function randomNumbers(seed: number): () => number {
  // A variable that a closure keeps would be allocated anew for each number of more than 31 bits.
  const state = Uint32Array.of(seed);
  return () => {
    const next = (Math.imul(state[0] ?? 0, 1664525) + 1013904223) >>> 0;
    state[0] = next;
    return next / 2 ** 32;
  };
}
