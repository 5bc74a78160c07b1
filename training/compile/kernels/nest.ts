/**
 * Nested loops in which pointers move by strides:
 *
 *     for i₀ < n₀                       p += stride₀
 *       for i₁ < n₁                     p += stride₁
 *         …
 *           body                        p is at Σ iₐ · strideₐ
 */
import { at } from '../../arrays/index.ts';
import { advance, repeat, type Wat } from '../wat.ts';

/** The pointer of an operand, with its strides in bytes by axis. */
export interface Pointer {
  readonly local: string;
  readonly strides: readonly number[];
}

export interface Nest {
  readonly counts: readonly number[];
  readonly pointers: readonly Pointer[];
}

/** Removes axes of size 1, and merges two axes that every pointer walks as if they were one. */
export function merged({ counts, pointers }: Nest): Nest {
  const long = counts.flatMap((count, axis) => (count === 1 ? [] : [axis]));
  const axes: { count: number; readonly strides: readonly number[] }[] = [];
  for (const axis of long) {
    const count = at(counts, axis);
    const strides = pointers.map((pointer) => at(pointer.strides, axis));
    const outer = axes.at(-1);
    if (outer && strides.every((stride, i) => outer.strides[i] === stride * count)) {
      axes.splice(-1, 1, { count: outer.count * count, strides });
    } else axes.push({ count, strides });
  }
  return {
    counts: axes.map(({ count }) => count),
    pointers: pointers.map(({ local }, i) => ({ local, strides: axes.map(({ strides }) => at(strides, i)) })),
  };
}

/** Emits the loops. The counters are the locals `i0`, `i1`, …, which the function declares. */
export function loops(nest: Nest, body: readonly Wat[], axis = 0): readonly Wat[] {
  const { counts, pointers } = nest;
  const count = counts[axis];
  if (count === undefined) return body;
  const inner = loops(nest, body, axis + 1);
  const moves = pointers.flatMap(({ local, strides }) => {
    const done = axis + 1 < counts.length ? at(counts, axis + 1) * at(strides, axis + 1) : 0;
    const step = at(strides, axis) - done;
    return step === 0 ? [] : [advance(local, step)];
  });
  return repeat(`i${axis}`, count, [...inner, ...moves]);
}

export const counters = ({ counts }: Nest): readonly string[] => counts.map((_, axis) => `i${axis}`);
