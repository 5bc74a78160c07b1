/**
 * Finds the position of the maximum of each row along an axis, and the first of several equal ones:
 *
 *     for o < outer
 *       for i < inner
 *         for j < count         best = j where x[o, j, i] > x[o, best, i]
 */
import type { Buffer, Plain } from '../buffer.ts';
import { advance, call, get, i32, localsOf, repeat, set } from '../wat.ts';
import type { Kernel } from './kernel.ts';
import { counters, loops } from './nest.ts';

export interface ArgMax {
  readonly about: string;
  readonly x: Buffer;
  readonly out: Plain;
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

export function argMax({ about, x, out, outer, count, inner }: ArgMax): Kernel {
  return {
    about,
    reads: [x],
    writes: [out],
    emit: ({ addressOf, define }) => {
      const nest = {
        counts: [outer, inner],
        pointers: [
          { local: 'x', strides: [4 * count * inner, 4] },
          { local: 'out', strides: [4 * inner, 4] },
        ],
      };
      const isLarger = `(f32.gt (f32.load ${get('at')}) (f32.load ${get('largest')}))`;
      const body = [
        set('at', get('x')),
        set('largest', get('x')),
        ...repeat('n', count, [`(if ${isLarger} (then ${set('largest', get('at'))}))`, advance('at', 4 * inner)]),
        `(i32.store ${get('out')} (i32.div_u (i32.sub ${get('largest')} ${get('x')}) ${i32(4 * inner)}))`,
      ];
      return [
        call(
          define('arg_max', {
            about: [about],
            params: [],
            locals: localsOf('i32', 'x', 'out', 'at', 'largest', 'n', ...counters(nest)),
            body: [set('x', i32(addressOf(x))), set('out', i32(addressOf(out))), ...loops(nest, body)],
          }),
        ),
      ];
    },
  };
}
