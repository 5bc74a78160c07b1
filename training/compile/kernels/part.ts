/**
 * Kernels that several threads do together: each does a part of what is written, by the same instructions that one thread would do it
 * with, so that the numbers do not depend on how many there are.
 */
import type { Nest } from './nest.ts';

export interface Part {
  readonly index: number;
  /** Of threads. */
  readonly count: number;
}

/** All of it. */
export const whole: Part = { index: 0, count: 1 };

/** From which of `total` things on the part goes, and how many it has. */
export function shareOf(total: number, { index, count }: Part): { readonly from: number; readonly count: number } {
  const from = Math.floor((total * index) / count);
  return { from, count: Math.floor((total * (index + 1)) / count) - from };
}

/**
 * A nest of whose first axis a part is left, and how far from its beginning each pointer then starts, in bytes; undefined where nothing
 * is left for this part.
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
    starts: pointers.map(({ strides }) => from * (strides[0] ?? 0)),
  };
}
