/**
 * Moves elements unchanged, piece by piece: Concat, Slice, Transpose, Pad, Gather by stored indices.
 *
 *     for each piece
 *       for i₀ … for iₙ                  to[Σ i · strideTo] = from[Σ i · strideFrom]
 *
 * The innermost loop moves vectors where elements are consecutive on both sides. It never writes past the end, where
 * another piece may lie.
 */
import { at, elementCount } from '../../arrays/index.ts';
import { type Buffer, type Plain, vectorBytes } from '../buffer.ts';
import { advance, call, get, i32, load, localsOf, range, repeat, set, store, type Wat } from '../wat.ts';
import type { Kernel } from './kernel.ts';
import { counters, loops, merged } from './nest.ts';
import { type Part, partOfNest } from './part.ts';

export interface Piece {
  readonly from: Buffer;
  readonly counts: readonly number[];
  /** The start of the piece and its strides, in elements. */
  readonly fromAt: number;
  readonly fromStrides: readonly number[];
  readonly toAt: number;
  readonly toStrides: readonly number[];
}

export function copy(about: string, to: Plain, pieces: readonly Piece[]): Kernel {
  return {
    about,
    reads: [...new Set(pieces.map(({ from }) => from))],
    writes: [to],
    work: pieces.reduce((sum, { counts }) => sum + elementCount(counts), 0),
    emit: ({ addressOf, define, part }) => {
      const parts = pieces
        .filter(({ counts }) => counts.every((count) => count > 0))
        .map((piece) => pieceCode(piece, addressOf(piece.from), addressOf(to), part));
      const names = new Set(parts.flatMap(({ counts }) => counts));
      const body = parts.flatMap(({ body }) => body);
      const locals = localsOf('i32', 'from', 'to', 'f', 't', 'n', ...names);
      return body.length > 0 ? [call(define('copy', { about: [about], params: [], locals, body }))] : [];
    },
  };
}

const bytes = (elements: number): number => 4 * elements;

function pieceCode(
  piece: Piece,
  from: number,
  to: number,
  part: Part,
): { readonly counts: readonly string[]; readonly body: readonly Wat[] } {
  const whole = merged({
    counts: piece.counts,
    pointers: [
      { local: 'from', strides: piece.fromStrides.map(bytes) },
      { local: 'to', strides: piece.toStrides.map(bytes) },
    ],
  });
  const last = whole.counts.length - 1;
  const isRun = last >= 0 && whole.pointers.every(({ strides }) => strides[last] === 4);
  const rows = isRun
    ? {
        counts: whole.counts.slice(0, last),
        pointers: whole.pointers.map(({ local, strides }) => ({ local, strides: strides.slice(0, last) })),
      }
    : whole;
  const share = partOfNest(rows, part);
  if (!share) return { counts: [], body: [] };
  const { nest: outer, starts } = share;
  return {
    counts: counters(outer),
    body: [
      set('from', i32(from + bytes(piece.fromAt) + at(starts, 0))),
      set('to', i32(to + bytes(piece.toAt) + at(starts, 1))),
      ...loops(outer, isRun ? run(at(whole.counts, last)) : [moveOne(get('to'), get('from'))]),
    ],
  };
}

const moveOne = (to: Wat, from: Wat, offset = 0): Wat =>
  `(i32.store offset=${offset} ${to} (i32.load offset=${offset} ${from}))`;

/** Moves consecutive elements. */
function run(count: number): readonly Wat[] {
  const vectors = Math.floor(count / 4);
  const rest = range(count % 4);
  if (vectors < 8) {
    const end = vectors * vectorBytes;
    return [
      ...range(vectors).map((i) => store(get('to'), load(get('from'), i * vectorBytes), i * vectorBytes)),
      ...rest.map((i) => moveOne(get('to'), get('from'), end + 4 * i)),
    ];
  }
  return [
    set('f', get('from')),
    set('t', get('to')),
    ...repeat('n', vectors, [store(get('t'), load(get('f'))), advance('f', vectorBytes), advance('t', vectorBytes)]),
    ...rest.map((i) => moveOne(get('t'), get('f'), 4 * i)),
  ];
}
