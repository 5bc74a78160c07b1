/**
 * Packs the operands of a product in the order in which it reads them, so that it walks through memory vector by
 * vector.
 *
 *     B by panels of eight columns            panel[j][k] = B[k, 8 j … 8 j + 7]
 *     A by tiles of up to six rows            tile[i][k]  = A[k, 6 i … 6 i + 5]       where it lies transposed
 *
 * The numbers of a panel beyond the last column are not used, but must exist.
 */
import { type Buffer, type Plain, vectorBytes } from '../buffer.ts';
import { advance, call, get, i32, load, localsOf, range, repeat, set, shuffle, store, type Wat } from '../wat.ts';
import type { Define, Kernel } from './kernel.ts';
import { loops } from './nest.ts';
import { shareOf } from './part.ts';

export const panelColumns = 8;
export const panelBytes = 2 * vectorBytes;
export const maxRows = 6;

/** Returns the number of elements in the panels of one matrix `[k, n]`. */
export const panelCount = (k: number, n: number): number => Math.ceil(n / panelColumns) * panelColumns * k;

export interface Panels {
  readonly about: string;
  readonly b: Buffer;
  readonly to: Plain;
  readonly k: number;
  readonly n: number;
  /** Is true where B lies as `[n, k]`. */
  readonly transposed: boolean;
  /** The number of consecutive matrices. */
  readonly matrices: number;
}

export function panels({ about, b, to, k, n, transposed, matrices }: Panels): Kernel {
  const [full, rest] = [Math.floor(n / panelColumns), n % panelColumns];
  return {
    about,
    reads: [b],
    writes: [to],
    work: matrices * k * n,
    emit: ({ addressOf, define, part }) => {
      const pack = (columns: number): string => (transposed ? packColumns(k, columns, define) : packRows(k, n, define));
      const one = (columns: number): Wat => call(pack(columns), get('row'), get('to'));
      const from = transposed ? panelColumns * 4 * k : panelBytes;
      // Threads share the panels of one matrix, or whole matrices.
      const ofMatrices = matrices > 1 ? shareOf(matrices, part) : { from: 0, count: 1 };
      const ofPanels = matrices > 1 ? { from: 0, count: full } : shareOf(full, part);
      const takesRest = rest > 0 && (matrices > 1 || part.index === part.count - 1);
      const panelStart = ofPanels.from;
      const body = [
        set('row', get('b')),
        ...(ofPanels.count > 0
          ? repeat('j', ofPanels.count, [one(panelColumns), advance('row', from), advance('to', k * panelBytes)])
          : []),
        ...(takesRest ? [one(rest), advance('to', k * panelBytes)] : []),
        advance('b', 4 * k * n),
      ];
      if (ofMatrices.count === 0) return [];
      return [
        call(
          define('panels', {
            about: [about],
            params: [],
            locals: localsOf('i32', 'b', 'to', 'row', 'i', 'j'),
            body: [
              set('b', i32(addressOf(b) + ofMatrices.from * 4 * k * n + panelStart * from)),
              set('to', i32(addressOf(to) + (ofMatrices.from * panelCount(k, n) * 4 + panelStart * k * panelBytes))),
              ...repeat('i', ofMatrices.count, body),
            ],
          }),
        ),
      ];
    },
  };
}

/** panel[k] = b[k, 0 … 7] */
const packRows = (k: number, n: number, define: Define): string =>
  define('pack_rows', {
    about: [`a panel of ${k} rows`],
    params: ['b', 'panel'],
    locals: localsOf('i32', 'left'),
    body: repeat('left', k, [
      store(get('panel'), load(get('b'))),
      store(get('panel'), load(get('b'), vectorBytes), vectorBytes),
      advance('b', 4 * n),
      advance('panel', panelBytes),
    ]),
  });

/** panel[k] = b[0 … 7, k], four k at a time; with fewer than eight columns, the last one is repeated. */
function packColumns(k: number, columns: number, define: Define): string {
  const column = (v: number, lane: number): number => 4 * k * Math.min(4 * v + lane, columns - 1);
  const half = (v: number): readonly Wat[] => [
    ...range(4).map((lane) => set(`b${lane}`, load(get('b'), column(v, lane)))),
    ...[0, 2].map((lane) => set(`low${lane / 2}`, shuffle([0, 4, 1, 5], get(`b${lane}`), get(`b${lane + 1}`)))),
    ...[0, 2].map((lane) => set(`high${lane / 2}`, shuffle([2, 6, 3, 7], get(`b${lane}`), get(`b${lane + 1}`)))),
  ];
  const rows: readonly (readonly [k: number, value: Wat])[] = ['low', 'high'].flatMap((part, i) =>
    [
      [0, 1, 4, 5],
      [2, 3, 6, 7],
    ].map((lanes, row) => [2 * i + row, shuffle(lanes, get(`${part}0`), get(`${part}1`))] as const),
  );
  /** Packs `count` of the four k in a vector. */
  const four = (count: number): readonly Wat[] =>
    [0, 1].flatMap((v) => [
      ...half(v),
      ...rows
        .filter(([row]) => row < count)
        .map(([row, value]) => store(get('panel'), value, row * panelBytes + v * vectorBytes)),
    ]);
  const [whole, rest] = [Math.floor(k / 4), k % 4];
  return define('pack_columns', {
    about: [`a panel of ${columns} columns of ${k}`],
    params: ['b', 'panel'],
    locals: {
      ...localsOf('i32', 'left'),
      ...localsOf('v128', ...range(4).map((lane) => `b${lane}`), 'low0', 'low1', 'high0', 'high1'),
    },
    body: [
      ...(whole > 0
        ? repeat('left', whole, [...four(4), advance('b', vectorBytes), advance('panel', 4 * panelBytes)])
        : []),
      ...(rest > 0 ? four(rest) : []),
    ],
  });
}

export interface Tiles {
  readonly about: string;
  /** A lies as `[k, m]`. */
  readonly a: Buffer;
  readonly to: Plain;
  readonly m: number;
  readonly k: number;
}

/** Consecutive tiles with the same number of rows. */
export interface Segment {
  readonly rows: number;
  /** The number of tiles. */
  readonly count: number;
  /** The first row of the first tile. */
  readonly start: number;
}

/**
 * Divides m rows into as few tiles as possible, of nearly equal size, and returns `count` tiles from the tile `from`
 * on.
 */
export function segmentsOf(
  m: number,
  { from, count } = { from: 0, count: Math.ceil(m / maxRows) },
): readonly Segment[] {
  const tileCount = Math.ceil(m / maxRows);
  const min = Math.floor(m / tileCount);
  const larger = m - tileCount * min;
  const end = from + count;
  const large = Math.max(Math.min(end, larger) - from, 0);
  const small = end - Math.max(from, larger);
  return [
    { rows: min + 1, count: large, start: from * (min + 1) },
    { rows: min, count: Math.max(small, 0), start: Math.max(from, larger) * min + larger },
  ].filter((segment) => segment.count > 0);
}

/** Packs A: for each k, a piece of its row goes to each tile. */
export function tiles({ about, a, to, m, k }: Tiles): Kernel {
  return {
    about,
    reads: [a],
    writes: [to],
    work: m * k,
    emit: ({ addressOf, define, part }) => {
      const share = shareOf(k, part);
      if (share.count === 0) return [];
      const segments = segmentsOf(m).map(({ rows, count, start }) => {
        const pointers = [
          { local: 'a', strides: [4 * m, 4 * rows] },
          { local: 'tile', strides: [4 * rows, 4 * rows * k] },
        ];
        return [
          set('a', i32(addressOf(a) + 4 * (share.from * m + start))),
          set('tile', i32(addressOf(to) + 4 * (start * k + share.from * rows))),
          ...loops({ counts: [share.count, count], pointers }, moveRow(rows)),
        ];
      });
      const locals = localsOf('i32', 'a', 'tile', 'i0', 'i1');
      return [call(define('tiles', { about: [about], params: [], locals, body: segments.flat() }))];
    },
  };
}

/** Moves exactly `rows` numbers. */
function moveRow(rows: number): readonly Wat[] {
  const vectors = Math.floor(rows / 4);
  return [
    ...range(vectors).map((v) => store(get('tile'), load(get('a'), v * vectorBytes), v * vectorBytes)),
    ...range(rows % 4)
      .map((i) => 4 * (4 * vectors + i))
      .map((offset) => `(i32.store offset=${offset} ${get('tile')} (i32.load offset=${offset} ${get('a')}))`),
  ];
}
