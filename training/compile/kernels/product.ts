/**
 * A product of two matrices that the program computes, either of which may lie transposed, or of stacks of them:
 *
 *     for each matrix of the stack
 *       B into panels of eight columns                       panel[j][k] = B[k, 8 j … 8 j + 7]
 *       for each panel j
 *         for each tile of up to six rows                    its twelve sums of four columns stay in registers
 *           for each k
 *             sum[row] += A[row, k] · panel[j][k]
 *
 * Panels are made where B lies transposed, since vectors hold neighbouring columns, and where its rows are far apart, since a panel's
 * are one after the other. Each sum adds up k by k.
 */
import { type Buffer, Plain, vectorBytes } from '../buffer.ts';
import {
  advance,
  call,
  get,
  i32,
  load,
  loadSplat,
  localsOf,
  range,
  repeat,
  set,
  shuffle,
  splat,
  store,
  storeLane,
  vector,
  type Wat,
  zero,
} from '../wat.ts';
import type { Emit, Kernel } from './kernel.ts';
import { counters, loops, type Nest } from './nest.ts';

export interface Product {
  readonly about: string;
  readonly a: Buffer;
  readonly b: Buffer;
  /** Added to each row, `[n]`. */
  readonly bias?: Buffer | undefined;
  readonly out: Plain;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** A lies as `[k, m]`, B as `[n, k]`. */
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
  readonly stack: readonly number[];
  /** In matrices, by axis of the stack: 0 where the same matrix is used again. */
  readonly aStrides: readonly number[];
  readonly bStrides: readonly number[];
}

const panelColumns = 8;
const panelBytes = 2 * vectorBytes;
const mostRows = 6;
/** Rows of B that are further apart than so many numbers are brought together. */
const farApart = 128;

export function product(shape: Product): Kernel {
  const { about, a, b, bias, out, k, n } = shape;
  const panels = isPacked(shape)
    ? new Plain(`${out.name}/panels`, Math.ceil(n / panelColumns) * panelColumns * k + 32)
    : undefined;
  return {
    about,
    reads: [a, b, ...(bias ? [bias] : [])],
    writes: panels ? [out, panels] : [out],
    emit: (context) => {
      const { at, define } = context;
      const nest = stackNest(shape);
      const pack = panels ? packing(shape, at(panels), context) : [];
      const [whole, rest] = [Math.floor(n / panelColumns), n % panelColumns];
      const rows = (columns: number) => alongRows(shape, columns, panels !== undefined, context);
      const body = [
        ...pack,
        set('panel', panels ? i32(at(panels)) : get('b')),
        set('column', get('out')),
        ...(bias ? [set('bias', i32(at(bias)))] : []),
        ...(whole > 0
          ? repeat('j', whole, [
              ...rows(panelColumns),
              advance('panel', panels ? k * panelBytes : panelBytes),
              advance('column', panelBytes),
              ...(bias ? [advance('bias', panelBytes)] : []),
            ])
          : []),
        ...(rest > 0 ? rows(rest) : []),
      ];
      return [
        call(
          define('product', {
            about: [about],
            params: [],
            locals: localsOf(
              'i32',
              ...['a', 'b', 'out', 'panel', 'column', 'bias', 'row', 'to', 'i', 'j'],
              ...counters(nest),
            ),
            body: [...[set('a', i32(at(a))), set('b', i32(at(b))), set('out', i32(at(out)))], ...loops(nest, body)],
          }),
        ),
      ];
    },
  };
}

const isPacked = ({ transB, n, m }: Product): boolean => transB || (n > farApart && m > mostRows);

function stackNest({ stack, aStrides, bStrides, m, k, n }: Product): Nest {
  const outStrides = stack.map((_, axis) => 4 * m * n * stack.slice(axis + 1).reduce((size, count) => size * count, 1));
  return {
    counts: stack,
    pointers: [
      { local: 'a', strides: aStrides.map((stride) => 4 * m * k * stride) },
      { local: 'b', strides: bStrides.map((stride) => 4 * k * n * stride) },
      { local: 'out', strides: outStrides },
    ],
  };
}

/** A panel's tiles, from the first row to the last: as few as there can be, and nearly of one size. */
function alongRows(shape: Product, columns: number, isPanel: boolean, context: Emit): readonly Wat[] {
  const { m, k, n, transA, bias } = shape;
  const tiles = Math.ceil(m / mostRows);
  const least = Math.floor(m / tiles);
  const larger = m - tiles * least;
  const along = (rows: number, count: number): readonly Wat[] =>
    count === 0
      ? []
      : repeat('i', count, [
          call(
            define(shape, rows, columns, isPanel, context),
            get('row'),
            get('panel'),
            ...(bias ? [get('bias')] : []),
            get('to'),
          ),
          advance('row', 4 * rows * (transA ? 1 : k)),
          advance('to', 4 * rows * n),
        ]);
  return [set('row', get('a')), set('to', get('column')), ...along(least + 1, larger), ...along(least, tiles - larger)];
}

/** How often the body of the loop over k stands there. */
const unrolled = (k: number): number => [4, 3, 2].find((times) => k % times === 0) ?? 1;

function define(shape: Product, rows: number, columns: number, isPanel: boolean, { define: add, madd }: Emit): string {
  const { m, k, n, transA, alpha, bias } = shape;
  const vectors = Math.ceil(columns / 4);
  const [rowBytes, kBytes, panelStep] = [4 * (transA ? 1 : k), 4 * (transA ? m : 1), isPanel ? panelBytes : 4 * n];
  const sum = (row: number, v: number): string => `sum${row}_${v}`;
  const each = <T>(body: (row: number, v: number) => T): readonly T[] =>
    range(rows).flatMap((row) => range(vectors).map((v) => body(row, v)));
  const step = (u: number): readonly Wat[] => [
    ...range(vectors).map((v) => set(`b${v}`, load(get('panel'), u * panelStep + v * vectorBytes))),
    ...range(rows).flatMap((row) => [
      set('ak', loadSplat(get('a'), row * rowBytes + u * kBytes)),
      ...range(vectors).map((v) => set(sum(row, v), madd(get(sum(row, v)), get('ak'), get(`b${v}`)))),
    ]),
  ];
  const times = unrolled(k);
  const scaled = (value: Wat): Wat => (alpha === 1 ? value : vector('f32x4.mul', value, splat(alpha)));
  const finished = (value: Wat, v: number): Wat =>
    bias ? vector('f32x4.add', scaled(value), load(get('bias'), v * vectorBytes)) : scaled(value);
  return add('tile', {
    about: [`${rows} rows of ${k} times ${columns} columns`],
    params: ['a', 'panel', ...(bias ? ['bias'] : []), 'out'],
    locals: {
      ...localsOf('i32', 'left'),
      ...localsOf('v128', 'ak', ...range(vectors).map((v) => `b${v}`), ...each(sum)),
    },
    body: [
      ...each((row, v) => set(sum(row, v), zero)),
      ...repeat('left', k / times, [
        ...range(times).flatMap(step),
        advance('a', times * kBytes),
        advance('panel', times * panelStep),
      ]),
      ...each((row, v) => write(finished(get(sum(row, v)), v), columns - 4 * v, 4 * row * n + v * vectorBytes)).flat(),
    ],
  });
}

/** A vector of which so many numbers belong to the row. */
function write(value: Wat, lanes: number, offset: number): readonly Wat[] {
  if (lanes >= 4) return [store(get('out'), value, offset)];
  return [set('ak', value), ...range(lanes).map((lane) => storeLane(lane, get('out'), get('ak'), offset + 4 * lane))];
}

/** What a group of columns beyond the last is made of is of no use, but has to be there. */
function packing(shape: Product, to: number, context: Emit): readonly Wat[] {
  const { k, n, transB } = shape;
  const [whole, rest] = [Math.floor(n / panelColumns), n % panelColumns];
  const pack = (columns: number): string => (transB ? packColumns(k, columns, context) : packRows(k, n, context));
  const from = transB ? panelColumns * 4 * k : panelBytes;
  const one = (columns: number): readonly Wat[] => [call(pack(columns), get('row'), get('to'))];
  return [
    set('row', get('b')),
    set('to', i32(to)),
    ...(whole > 0
      ? repeat('j', whole, [...one(panelColumns), advance('row', from), advance('to', k * panelBytes)])
      : []),
    ...(rest > 0 ? one(rest) : []),
  ];
}

/** panel[k] = b[k, 0 … 7] */
const packRows = (k: number, n: number, { define: add }: Emit): string =>
  add('pack_rows', {
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

/** panel[k] = b[0 … 7, k], four k at a time; where there are fewer columns than eight, the last is there again. */
function packColumns(k: number, columns: number, { define: add }: Emit): string {
  const column = (v: number, lane: number): number => 4 * k * Math.min(4 * v + lane, columns - 1);
  const half = (v: number): readonly Wat[] => [
    ...range(4).map((lane) => set(`b${lane}`, load(get('b'), column(v, lane)))),
    ...[0, 2].map((lane) => set(`low${lane / 2}`, shuffle([0, 4, 1, 5], get(`b${lane}`), get(`b${lane + 1}`)))),
    ...[0, 2].map((lane) => set(`high${lane / 2}`, shuffle([2, 6, 3, 7], get(`b${lane}`), get(`b${lane + 1}`)))),
    ...['low', 'high'].flatMap((part, i) =>
      [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
      ].map((lanes, row) =>
        store(
          get('panel'),
          shuffle(lanes, get(`${part}0`), get(`${part}1`)),
          (2 * i + row) * panelBytes + v * vectorBytes,
        ),
      ),
    ),
  ];
  return add('pack_columns', {
    about: [`a panel of ${columns} columns of ${k}`],
    params: ['b', 'panel'],
    locals: {
      ...localsOf('i32', 'left'),
      ...localsOf('v128', ...range(4).map((lane) => `b${lane}`), 'low0', 'low1', 'high0', 'high1'),
    },
    body: repeat('left', Math.ceil(k / 4), [
      ...half(0),
      ...half(1),
      advance('b', vectorBytes),
      advance('panel', 4 * panelBytes),
    ]),
  });
}
