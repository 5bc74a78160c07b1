/**
 * Expands compact weights to single precision when the program starts:
 *
 *     for each section
 *       for each row
 *         for each vector                 to[v] = float(q[v]) · scale[v]
 *
 * A half's exponent and fraction are shifted to a float32's position, which gives the number times 2⁻¹¹².
 */
import { type Section, vectorBytes } from '../buffer.ts';
import {
  advance,
  call,
  get,
  i32,
  load,
  localsOf,
  range,
  repeat,
  set,
  splat,
  splatInt,
  store,
  vector,
  type Wat,
} from '../wat.ts';
import type { CompactType } from '../compact-weights.ts';
import type { Define } from './kernel.ts';

export interface Expansion {
  readonly type: CompactType;
  readonly sections: readonly Section[];
  /** `from`, `scales` and `to` are addresses. */
  readonly from: number;
  readonly scales: number;
  readonly to: number;
}

/** The bytes of four numbers. */
const bytesOf = { float16: 8, int8: 4 } as const satisfies Readonly<Record<CompactType, number>>;

/** @returns calls, one for each section */
export function expand({ type, sections, ...start }: Expansion, define: Define): readonly Wat[] {
  let { from, scales, to } = start;
  return sections.map(({ rows, vectors }) => {
    const step = call(define(type, rowsCode(type, vectors)), i32(from), i32(to), i32(scales), i32(rows));
    from += rows * vectors * bytesOf[type];
    to += rows * vectors * vectorBytes;
    scales += vectors * vectorBytes;
    return step;
  });
}

const numbers: { readonly [T in CompactType]: (from: Wat, offset: number, scale: Wat) => readonly Wat[] } = {
  int8: (from, offset, scale) => {
    const wide = vector('i16x8.extend_low_i8x16_s', `(v128.load32_zero offset=${offset} align=1 ${from})`);
    const number = vector('f32x4.convert_i32x4_s', vector('i32x4.extend_low_i16x8_s', wide));
    return [set('value', vector('f32x4.mul', number, scale))];
  },
  float16: (from, offset) => {
    const size = vector('i32x4.shl', vector('v128.and', get('bits'), splatInt(0x7fff)), i32(13));
    const sign = vector('i32x4.shl', vector('v128.and', get('bits'), splatInt(0x8000)), i32(16));
    return [
      set('bits', vector('i32x4.extend_low_i16x8_u', `(v128.load64_zero offset=${offset} align=1 ${from})`)),
      set('value', vector('v128.or', vector('f32x4.mul', size, splat(2 ** 112)), sign)),
    ];
  },
};

function rowsCode(type: CompactType, vectors: number) {
  return {
    about: [`rows of ${vectors} vectors from ${type}`],
    params: ['from', 'to', 'scales', 'rows'],
    locals: { ...localsOf('i32', 'n'), ...localsOf('v128', 'bits', 'value') },
    body: repeat('n', get('rows'), [
      ...range(vectors).flatMap((i) => [
        ...numbers[type](get('from'), i * bytesOf[type], load(get('scales'), i * vectorBytes)),
        store(get('to'), get('value'), i * vectorBytes),
      ]),
      advance('from', vectors * bytesOf[type]),
      advance('to', vectors * vectorBytes),
    ]),
  };
}
