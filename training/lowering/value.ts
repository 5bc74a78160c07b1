/** Reads the shape or the content of a value as numbers. */
import type { Value } from '../graph/index.ts';

/** Returns the only element of a scalar initializer. */
export function scalarOf(value: Value | undefined): number | undefined {
  return value?.constant?.data.length === 1 ? Number(value.constant.data[0]) : undefined;
}

/** Returns the shape, with NaN for a size that is known at run time only. */
export const sizes = ({ shape }: Value): readonly number[] => shape.map(Number);
