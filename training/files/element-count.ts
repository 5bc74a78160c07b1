/** Counts the elements of an array of this shape: 1 for a scalar, NaN where a size is known only at run time. */
export const elementCount = (shape: readonly (number | string)[]): number =>
  shape.reduce<number>((product, size) => product * (typeof size === 'number' ? size : NaN), 1);
