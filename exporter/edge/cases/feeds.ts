/** Made-up inputs for any model: every free dimension gets a size, every element a number. Deterministic. */

import type { DType, Tensor, TensorData, Tensors, ValueInfo } from '../runtime/index.ts';
import type { Runtime } from '../bundle.ts';
import { elementCount } from '../runtime/tensor.ts';
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

export function makeFeeds(runtime: Runtime, inputs: readonly ValueInfo[], sizes: Sizes, fill: Fill): Tensors {
  const random = randomNumbers(sizes.all + inputs.length);
  return Object.fromEntries(inputs.map((input) => [input.name, makeTensor(runtime, input, sizes, fill, random)]));
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

function makeTensor(runtime: Runtime, input: ValueInfo, sizes: Sizes, fill: Fill, random: () => number): Tensor {
  const { dtype } = input;
  const concrete = shapeOf(input, sizes);
  const data = runtime.createData(dtype, runtime.elementCount(concrete));
  fillData(data, dtype, fill, random);
  return { dtype, shape: concrete, data };
}

function fillData(data: TensorData, dtype: DType, fill: Fill, random: () => number): void {
  const chosen = chooser(data, dtype, fill, random);
  for (let i = 0; i < data.length; i++) setNumber(data, dtype, i, chosen());
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
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
