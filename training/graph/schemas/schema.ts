/**
 * The interface of an op's schema, and the shape arithmetic that several schemas share. A schema is the signature in
 * `../ops.ts` at run time: files are checked against it; code is checked by the compiler.
 *
 * Source of the numbers of inputs and the defaults: https://github.com/onnx/onnx/blob/v1.13.0/docs/Operators.md
 */
import { elementCount } from '../../arrays/index.ts';
import type { Attributes, Inputs, OpType, Outputs } from '../ops.ts';
import { type DType, type Dim, GraphError, type Shape, type TensorType, type Value } from '../types.ts';

/** A tensor type for each element of a tuple of values. */
export type Types<Values extends readonly unknown[]> = { readonly [K in keyof Values]: TensorType };

export interface OpSchema<O extends OpType> {
  readonly inputs: readonly [min: number, max: number];
  /** The specification's default of each attribute. One without a default is required or optional. */
  readonly attributes: { readonly [A in keyof Attributes<O>]-?: Attributes<O>[A] | 'required' | 'optional' };
  /** Returns the types of all outputs, or throws a `GraphError` that says what does not fit. */
  readonly infer: (inputs: Inputs<O>, attributes: Attributes<O>) => Types<Outputs<O>>;
  /** The inputs are broadcast against each other, so a cotangent may be larger than its primal. */
  readonly broadcasts?: true;
}

export type SchemaTable<O extends OpType> = { readonly [K in O]: OpSchema<K> };

export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`;
export const formatType = (type: TensorType): string => `${type.dtype}${formatShape(type.shape)}`;

export function expectRank(what: string, value: TensorType, rank: number): void {
  if (value.shape.length !== rank) {
    throw new GraphError(`expected ${what} of rank ${rank}, got ${formatType(value)}`);
  }
}

export function expectShape(what: string, value: TensorType, shape: Shape): void {
  if (!sameShape(value.shape, shape)) {
    throw new GraphError(`expected ${what} of shape ${formatShape(shape)}, got ${formatType(value)}`);
  }
}

export function expectDType(what: string, value: TensorType, ...dtypes: readonly DType[]): void {
  if (!dtypes.includes(value.dtype)) {
    throw new GraphError(`expected ${what} of type ${dtypes.join(' or ')}, got ${formatType(value)}`);
  }
}

/** Checks a value from a file, which no compiler has checked. */
export function expectOneOf(what: string, value: string | number, ...choices: readonly (string | number)[]): void {
  if (!choices.includes(value)) throw new GraphError(`expected ${what} ${choices.join(' or ')}, got ${value}`);
}

/** Returns the one dtype of all values. */
export function commonDType(values: readonly TensorType[]): DType {
  const [first] = values;
  if (first === undefined) throw new GraphError('expected at least one input');
  for (const value of values) expectDType('every input', value, first.dtype);
  return first.dtype;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** Returns a known size; throws for a symbolic one. */
export function known(what: string, dim: Dim | undefined): number {
  if (typeof dim !== 'number') throw new GraphError(`expected ${what} to be a known size, got ${String(dim)}`);
  return dim;
}

/** Returns all sizes; throws for a shape with a symbolic one. */
export const knownSizes = (shape: Shape): readonly number[] =>
  shape.map((dim) => known(`a dimension of ${formatShape(shape)}`, dim));

/** Returns the number of elements; throws for a shape with a symbolic dimension. */
export const sizeOf = (shape: Shape): number => elementCount(knownSizes(shape));

/** Returns the number of elements; undefined for a shape with a symbolic dimension. */
export const sizeIfKnown = (shape: Shape): number | undefined =>
  shape.every((dim) => typeof dim === 'number') ? elementCount(shape) : undefined;

/** The sizes of a tensor, by its rank. */
interface SizesOfRank {
  readonly 1: readonly [number];
  readonly 2: readonly [number, number];
  readonly 3: readonly [number, number, number];
  readonly 4: readonly [number, number, number, number];
}

/** Returns the sizes of a tensor of this rank; throws for another rank, and for a symbolic size. */
export function sizesOf<R extends keyof SizesOfRank>(value: TensorType, rank: R): SizesOfRank[R] {
  expectRank('a tensor', value, rank);
  return knownSizes(value.shape) as unknown as SizesOfRank[R];
}

/** Multidirectional broadcasting, https://github.com/onnx/onnx/blob/v1.13.0/docs/Broadcasting.md */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new GraphError(`expected shapes that broadcast, got ${formatShape(a)} and ${formatShape(b)}`);
  });
}

/** Returns the axis counted from the front. */
export function normalizeAxis(axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) throw new GraphError(`expected an axis in [${-rank}, ${rank - 1}], got ${axis}`);
  return axis < 0 ? axis + rank : axis;
}

/** Returns the integers of an input that must be an initializer (a shape, axes, pads). */
export function constantInts(what: string, value: Value): readonly number[] {
  const data = value.constant?.data;
  if (!(data instanceof BigInt64Array)) {
    throw new GraphError(`expected ${what} to be an int64 initializer, got ${value.name} ${formatType(value)}`);
  }
  return Array.from(data, Number);
}
