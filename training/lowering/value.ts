/** What a value of known shape or content is in numbers. */
import type { Value } from '../graph/index.ts';

/** The only element of a scalar initializer. */
export function scalarOf(value: Value | undefined): number | undefined {
  return value?.constant?.data.length === 1 ? Number(value.constant.data[0]) : undefined;
}

/** The shape; NaN where a size is known at run time only. */
export const sizes = ({ shape }: Value): readonly number[] => shape.map(Number);
