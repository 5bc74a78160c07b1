/** Arrays of float64 for the reference. Every element type is held as a number, a boolean as 0 or 1. */

export interface NdArray {
  readonly shape: readonly number[];
  /** The elements, row-major. */
  readonly data: Float64Array;
}

export type Index = readonly number[];

export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, dim) => size * dim, 1);

export const scalar = (value: number): NdArray => ({ shape: [], data: Float64Array.of(value) });

export const zeros = (shape: readonly number[]): NdArray => ({ shape, data: new Float64Array(sizeOf(shape)) });

/** Visits every index of a shape in row-major order. The index is overwritten by the next one. */
export function forEachIndex(shape: readonly number[], visit: (index: Index, flat: number) => void): void {
  const index = shape.map(() => 0);
  for (let flat = 0; flat < sizeOf(shape); flat += 1) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      index[axis] = dim(index, axis) + 1;
      if (dim(index, axis) < dim(shape, axis)) break;
      index[axis] = 0;
    }
  }
}

export function build(shape: readonly number[], elementAt: (index: Index) => number): NdArray {
  const result = zeros(shape);
  forEachIndex(shape, (index, flat) => {
    result.data[flat] = elementAt(index);
  });
  return result;
}

export function flatIndex(shape: readonly number[], index: Index): number {
  return shape.reduce((flat, size, axis) => flat * size + dim(index, axis), 0);
}

export function read(array: NdArray, index: Index): number {
  return element(array.data, flatIndex(array.shape, index));
}

/** Reads by an index of a larger, broadcast shape: missing axes are ignored, axes of size 1 are repeated. */
export function readBroadcast(array: NdArray, index: Index): number {
  const skipped = index.length - array.shape.length;
  return read(
    array,
    array.shape.map((size, axis) => (size === 1 ? 0 : dim(index, axis + skipped))),
  );
}

export function add(array: NdArray, index: Index, value: number): void {
  const flat = flatIndex(array.shape, index);
  array.data[flat] = element(array.data, flat) + value;
}

/** Returns the shape that all shapes broadcast to, by NumPy's rule. */
export function broadcast(...shapes: readonly (readonly number[])[]): readonly number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

export function dim(shape: readonly number[], axis: number): number {
  const size = shape.at(axis);
  if (size === undefined) throw new Error(`axis ${axis} is outside [${shape.join(', ')}]`);
  return size;
}

export function element(data: ArrayLike<number>, flat: number): number {
  const value = data[flat];
  if (value === undefined) throw new Error(`element ${flat} is outside an array of ${data.length}`);
  return value;
}

/** Returns the axis counted from the front. */
export const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export const range = (length: number): readonly number[] => Array.from({ length }, (_, i) => i);
