/** How many elements an array of this shape has: 1 for a scalar, NaN where a size is known at run time only. */
export const elementCount = (shape: readonly (number | string)[]): number =>
  shape.reduce<number>((product, size) => product * (typeof size === 'number' ? size : NaN), 1);
