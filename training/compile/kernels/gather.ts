/**
 * Gathers slices by computed indices, as for embeddings and the results of ArgMax.
 *
 *     for o < outer
 *       for i < indices        out[o, i, :] = data[o, index[i], :]
 *
 * An index outside the axis traps, since ONNX Runtime refuses it, too.
 */
import type { Buffer, Plain } from '../buffer.ts';
import { advance, call, get, i32, localsOf, repeat, set } from '../wat.ts';
import type { Kernel } from './kernel.ts';
import { counters, loops } from './nest.ts';

export interface Gather {
  readonly about: string;
  readonly data: Buffer;
  readonly indices: Buffer;
  readonly out: Plain;
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
  readonly count: number;
}

export function gather({ about, data, indices, out, outer, size, inner, count }: Gather): Kernel {
  return {
    about,
    reads: [data, indices],
    writes: [out],
    emit: ({ addressOf, define }) => {
      const nest = { counts: [outer], pointers: [{ local: 'data', strides: [4 * size * inner] }] };
      const body = [
        set('index', i32(addressOf(indices))),
        ...repeat('n', count, [
          set('i', '(i32.load (local.get $index))'),
          `(if (i32.lt_s ${get('i')} (i32.const 0)) (then ${set('i', `(i32.add ${get('i')} ${i32(size)})`)}))`,
          `(if (i32.ge_u ${get('i')} ${i32(size)}) (then (unreachable)))`,
          set('from', `(i32.add ${get('data')} (i32.mul ${get('i')} ${i32(4 * inner)}))`),
          ...repeat('left', inner, [
            '(i32.store (local.get $out) (i32.load (local.get $from)))',
            advance('from', 4),
            advance('out', 4),
          ]),
          advance('index', 4),
        ]),
      ];
      return [
        call(
          define('gather', {
            about: [about],
            params: [],
            locals: localsOf('i32', 'data', 'index', 'out', 'i', 'from', 'n', 'left', ...counters(nest)),
            body: [set('data', i32(addressOf(data))), set('out', i32(addressOf(out))), ...loops(nest, body)],
          }),
        ),
      ];
    },
  };
}
