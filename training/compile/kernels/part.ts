/**
 * Kernels that several threads share. Each computes a part of the result with the same instructions as a single thread,
 * so that the numbers do not depend on the number of threads.
 */
import { at } from '../../arrays/index.ts';
import type { Nest } from './nest.ts';

export interface Part {
  readonly index: number;
  /** The number of threads. */
  readonly count: number;
}

/** The whole kernel. */
export const whole: Part = { index: 0, count: 1 };

/** Returns the first of `total` items that belongs to the part, and their number. */
export function shareOf(total: number, { index, count }: Part): { readonly from: number; readonly count: number } {
  const from = Math.floor((total * index) / count);
  return { from, count: Math.floor((total * (index + 1)) / count) - from };
}

/**
 * Returns a nest whose first axis is limited to the part, and the distance of each pointer's start from its beginning
 * in bytes. It is undefined where nothing is left for this part.
 */
export function partOfNest(
  nest: Nest,
  part: Part,
): { readonly nest: Nest; readonly starts: readonly number[] } | undefined {
  const { counts, pointers } = nest;
  const [first] = counts;
  if (first === undefined) return part.index === 0 ? { nest, starts: pointers.map(() => 0) } : undefined;
  const { from, count } = shareOf(first, part);
  if (count === 0) return undefined;
  return {
    nest: { counts: counts.with(0, count), pointers },
    starts: pointers.map(({ strides }) => from * at(strides, 0)),
  };
}
