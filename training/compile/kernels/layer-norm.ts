/**
 * y = (x − μ) / √(σ² + ε) · γ + β over each row:
 *
 *     for each row
 *       for each vector        Σ x
 *       for each vector        Σ (x − μ)²
 *       for each vector        y
 */
import type { Buffer, Plain } from '../buffer.ts';
import { call, get, i32, load, localsOf, set, splat, store, vector } from '../wat.ts';
import type { Kernel } from './kernel.ts';
import { counters, loops } from './nest.ts';
import { acrossLanes, eachVector, foldRow, foldTwo } from './row.ts';

export interface LayerNorm {
  readonly about: string;
  readonly x: Buffer;
  readonly scale: Buffer;
  readonly bias: Buffer;
  readonly out: Plain;
  readonly rows: number;
  readonly count: number;
  readonly epsilon: number;
}

const [add, sub, mul, div] = (['add', 'sub', 'mul', 'div'] as const).map(
  (op) => (a: string, b: string) => vector(`f32x4.${op}`, a, b),
) as [Two, Two, Two, Two];
type Two = (a: string, b: string) => string;

export function layerNorm({ about, x, scale, bias, out, rows, count, epsilon }: LayerNorm): Kernel {
  return {
    about,
    reads: [x, scale, bias],
    writes: [out],
    emit: ({ addressOf, define }) => {
      const nest = { counts: [rows], pointers: ['row', 'to'].map((local) => ({ local, strides: [4 * count] })) };
      const centered = sub(load(get('at')), get('mean'));
      const body = [
        ...foldRow('add', count, 'mean'),
        set('mean', div(get('mean'), splat(count))),
        set('sum', splat(0)),
        set('at', get('row')),
        ...eachVector(count, ['at'], (within) => [
          set('value', within(centered, 0)),
          set('sum', foldTwo('add', get('sum'), mul(get('value'), get('value')))),
        ]),
        ...acrossLanes('add', 'sum'),
        set('sum', vector('f32x4.sqrt', add(div(get('sum'), splat(count)), splat(epsilon)))),
        set('at', get('row')),
        set('y', get('to')),
        set('scale', i32(addressOf(scale))),
        set('bias', i32(addressOf(bias))),
        ...eachVector(count, ['at', 'y', 'scale', 'bias'], () => [
          store(get('y'), add(mul(div(centered, get('sum')), load(get('scale'))), load(get('bias')))),
        ]),
      ];
      return [
        call(
          define('layer_norm', {
            about: [about],
            params: [],
            locals: {
              ...localsOf('i32', 'row', 'to', 'at', 'y', 'scale', 'bias', 'n', ...counters(nest)),
              ...localsOf('v128', 'mean', 'sum', 'value'),
            },
            body: [set('row', i32(addressOf(x))), set('to', i32(addressOf(out))), ...loops(nest, body)],
          }),
        ),
      ];
    },
  };
}
