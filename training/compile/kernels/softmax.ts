/**
 * yᵢ = e^(xᵢ − max x) / Σⱼ e^(xⱼ − max x), over consecutive rows:
 *
 *     for each row
 *       for each vector        max
 *       for each vector        y = e^(x − max), Σ y
 *       for each vector        y / Σ
 *
 * Along another axis than the last, four neighbours on the last axis are computed side by side, each with its own
 * maximum and sum.
 */
import { type Buffer, type Plain, vectorBytes, vectorsFor } from '../buffer.ts';
import { exp } from '../expression/functions.ts';
import { Lines } from '../expression/lines.ts';
import { advance, call, get, i32, load, localsOf, plus, repeat, set, splat, store, vector, type Wat } from '../wat.ts';
import type { Kernel } from './kernel.ts';
import { counters, loops } from './nest.ts';
import { acrossLanes, eachVector, foldRow, foldTwo, neutral } from './row.ts';

export interface Softmax {
  readonly about: string;
  readonly x: Buffer;
  readonly out: Plain;
  /** `[outer, count, inner]`; the middle axis is normalized. */
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

export function softmax(shape: Softmax): Kernel {
  const { about, x, out, outer, count, inner } = shape;
  return {
    about,
    reads: [x],
    writes: [out],
    emit: ({ addressOf, define }) => {
      const lines = new Lines();
      const power = exp(lines, vector('f32x4.sub', get('value'), get('max')));
      const body = inner === 1 ? alongRow(count, lines, power) : alongAxis(shape, lines, power);
      const nest = {
        counts: [outer],
        pointers: ['row', 'to'].map((local) => ({ local, strides: [4 * count * inner] })),
      };
      return [
        call(
          define('softmax', {
            about: [about],
            params: [],
            locals: {
              ...localsOf('i32', 'row', 'to', 'at', 'y', 'n', 'left', 'column', ...counters(nest)),
              ...localsOf('v128', 'max', 'sum', 'value'),
              ...lines.locals,
            },
            body: [set('row', i32(addressOf(x))), set('to', i32(addressOf(out))), ...loops(nest, body)],
          }),
        ),
      ];
    },
  };
}

function alongRow(count: number, lines: Lines, power: Wat): readonly Wat[] {
  return [
    ...foldRow('max', count, 'max'),
    set('sum', splat(0)),
    set('at', get('row')),
    set('y', get('to')),
    ...eachVector(count, ['at', 'y'], (within) => [
      set('value', load(get('at'))),
      ...lines.statements,
      store(get('y'), power),
      set('sum', foldTwo('add', get('sum'), within(power, 0))),
    ]),
    ...acrossLanes('add', 'sum'),
    set('y', get('to')),
    ...eachVector(count, ['y'], () => [store(get('y'), vector('f32x4.div', load(get('y')), get('sum')))]),
  ];
}

/**
 * Processes columns of vectors from right to left: the last one writes beyond each row into the beginning of the next
 * row, which is written later.
 */
function alongAxis({ count, inner }: Softmax, lines: Lines, power: Wat): readonly Wat[] {
  const stride = 4 * inner;
  const down = (body: readonly Wat[]): readonly Wat[] => [
    set('at', get('row')),
    ...repeat('left', count, [...body, advance('at', stride)]),
  ];
  const columns = vectorsFor(inner);
  return [
    advance('row', vectorBytes * (columns - 1)),
    set('column', plus(get('to'), vectorBytes * (columns - 1))),
    ...repeat('n', columns, [
      set('max', splat(neutral.max)),
      ...down([set('max', foldTwo('max', get('max'), load(get('at'))))]),
      set('sum', splat(0)),
      ...down([set('value', load(get('at'))), ...lines.statements, set('sum', foldTwo('add', get('sum'), power))]),
      set('y', get('column')),
      ...down([
        set('value', load(get('at'))),
        ...lines.statements,
        store(get('y'), vector('f32x4.div', power, get('sum'))),
        advance('y', stride),
      ]),
      advance('row', -vectorBytes),
      advance('column', -vectorBytes),
    ]),
    advance('row', vectorBytes),
  ];
}
