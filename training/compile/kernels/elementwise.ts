/**
 * Chains of elementwise nodes over the same elements, four at a time:
 *
 *     for each row of vectors that all operands walk evenly
 *       for each vector in it
 *         out₀[v], … = trees(operand₀[v or 0], operand₁[v or 0], …)
 *
 * An operand that is broadcast along an axis does not move on that axis. A row whose length is not a multiple of four
 * is written past its end, into the next row, which is written afterwards.
 */
import { at, elementCount } from '../../arrays/index.ts';
import type { Blocked, Buffer, Plain } from '../buffer.ts';
import { evaluateAll, type Expression } from '../expression/expression.ts';
import { Lines } from '../expression/lines.ts';
import { call, get, i32, load, loadSplat, localsOf, set, store } from '../wat.ts';
import type { Kernel } from './kernel.ts';
import { counters, loops, merged } from './nest.ts';
import { partOfNest } from './part.ts';

/** The way of a kernel through a buffer. */
export interface Walk {
  /** The start, in bytes from the buffer's address. */
  readonly offset: number;
  /** The strides in bytes, by axis of the iteration. */
  readonly strides: readonly number[];
}

export interface Operand {
  readonly buffer: Buffer;
  /** `vector` reads four elements, `splat` repeats one of them four times. */
  readonly read: 'vector' | 'splat';
  /** Is called after everything is lowered, since borders may grow until then. */
  readonly walk: () => Walk;
}

export interface Elementwise {
  readonly about: string;
  /** The sizes of the iteration; the last axis counts vectors. */
  readonly counts: readonly number[];
  readonly operands: readonly Operand[];
  readonly results: readonly Result[];
  readonly overwrites?: readonly Buffer[];
  /** Is true where no row is written past its end. */
  readonly isExact?: boolean;
}

export interface Result {
  readonly buffer: Plain | Blocked;
  readonly tree: Expression;
  readonly walk: () => Walk;
}

export function elementwise(shape: Elementwise): Kernel {
  const { about, counts, operands, results, overwrites = [], isExact = false } = shape;
  return {
    about,
    reads: operands.map(({ buffer }) => buffer),
    writes: results.map(({ buffer }) => buffer),
    overwrites,
    ...(isExact && { work: 4 * elementCount(counts) }),
    emit: ({ addressOf, define, part }) => {
      const walks = [...operands, ...results].map(({ walk }) => walk());
      const pointers = walks.map(({ strides }, i) => ({ local: `p${i}`, strides }));
      const share = partOfNest(merged({ counts, pointers }), part);
      if (!share) return [];
      const { nest, starts: offsets } = share;
      const lines = new Lines();
      const reads = operands.map(({ read }, i) => (read === 'vector' ? load : loadSplat)(get(`p${i}`)));
      const trees = results.map(({ tree }) => tree);
      evaluateAll(lines, trees, reads).forEach((value, i) => {
        lines.add(store(get(`p${operands.length + i}`), value));
      });
      const starts = [...operands, ...results].map(({ buffer }, i) =>
        set(`p${i}`, i32(addressOf(buffer) + at(walks, i).offset + at(offsets, i))),
      );
      return [
        call(
          define('elementwise', {
            about: [about],
            params: [],
            locals: {
              ...localsOf('i32', ...pointers.map(({ local }) => local), ...counters(nest)),
              ...lines.locals,
            },
            body: [...starts, ...loops(nest, lines.statements)],
          }),
        ),
      ];
    },
  };
}
