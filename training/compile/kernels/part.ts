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

/** A nest of which a part is left on one axis, and how far from its beginning each pointer then starts, in bytes. */
export function partOfNest(
  { counts, pointers }: Nest,
  axis: number,
  part: Part,
): { readonly nest: Nest; readonly starts: readonly number[] } {
  const { from, count } = shareOf(counts[axis] ?? 1, part);
  return {
    nest: { counts: counts.with(axis, count), pointers },
    starts: pointers.map(({ strides }) => from * (strides[axis] ?? 0)),
  };
}
