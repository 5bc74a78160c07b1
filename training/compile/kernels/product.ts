/**
 * A product of two matrices that the program computes, either of which may lie transposed, or of stacks of them:
 *
 *     for each matrix of the stack
 *       for each block of rows                             whose numbers of A stay in a cache
 *         for each panel j of eight columns                packing.ts
 *           for each tile of up to six rows                its twelve sums of four columns stay in registers
 *             for each k
 *               sum[row] += A[row, k] · panel[j][k]
 *
 * B is packed into panels where it lies transposed, since vectors hold neighbouring columns, and where its rows are far
 * apart. A is packed into tiles where it lies transposed, since its rows are then as far apart as a page. Each sum adds
 * up k by k, whatever the blocks and the thread that computes it.
 */
import { at, elementCount } from '../../arrays/index.ts';
import { type Buffer, Plain, vectorBytes } from '../buffer.ts';
import {
  advance,
  call,
  get,
  i32,
  load,
  loadSplat,
  localsOf,
  plus,
  range,
  repeat,
  set,
  splat,
  store,
  storeLane,
  vector,
  type Wat,
  zero,
} from '../wat.ts';
import type { Emit, Kernel } from './kernel.ts';
import { counters, loops, type Nest } from './nest.ts';
import { maxRows, panelBytes, panelColumns, panelCount, panels, type Segment, segmentsOf, tiles } from './packing.ts';
import { type Part, partOfNest, shareOf, whole } from './part.ts';

export interface Product {
  readonly about: string;
  readonly a: Buffer;
  readonly b: Buffer;
  /** Is added to each row, `[n]`. */
  readonly bias?: Buffer | undefined;
  readonly out: Plain;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** Is true where A lies as `[k, m]`, or B as `[n, k]`. */
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
  readonly stack: readonly number[];
  /** The strides in matrices, by axis of the stack: 0 where the same matrix is reused. */
  readonly aStrides: readonly number[];
  readonly bStrides: readonly number[];
}

/** Rows of B that are further apart than this many numbers are packed. */
const farApart = 128;
/**
 * The maximum size of a block of rows of A in bytes, unless it would have fewer rows than make loading a panel
 * worthwhile.
 */
const blockBytes = 65536;
const blockRows = 24;

/** Returns the kernels that pack the operands, and the product itself. */
export function product(shape: Product): readonly Kernel[] {
  const { about, a, b, out, m, k, n, transB: transposed, bStrides, stack } = shape;
  const matrices = 1 + stack.reduce((last, count, axis) => last + (count - 1) * at(bStrides, axis), 0);
  const panelled = needsPanels(shape) ? new Plain(`${out.name}/panels`, matrices * panelCount(k, n)) : undefined;
  const tiled = needsTiles(shape) ? new Plain(`${out.name}/tiles`, m * k) : undefined;
  return [
    ...(panelled ? [panels({ about: panelled.name, b, to: panelled, k, n, transposed, matrices })] : []),
    ...(tiled ? [tiles({ about: tiled.name, a, to: tiled, m, k })] : []),
    multiplication({ ...shape, a: tiled ?? a, b: panelled ?? b, bInPanels: !!panelled, aInTiles: !!tiled }, about),
  ];
}

/** A product whose operands are in order. */
interface Multiplication extends Product {
  readonly bInPanels: boolean;
  readonly aInTiles: boolean;
}

const needsPanels = ({ transB, n, m }: Product): boolean => transB || (n > farApart && m > maxRows);

/** Tiles pay where there are enough columns to read each tile many times. */
const needsTiles = ({ transA, m, n, stack }: Product): boolean =>
  transA && stack.length === 0 && m > 4 * maxRows && n >= 4 * panelColumns;

function multiplication(shape: Multiplication, about: string): Kernel {
  const { a, b, bias, out, m, k, n, stack } = shape;
  return {
    about,
    reads: [a, b, ...(bias ? [bias] : [])],
    writes: [out],
    // A multiplication costs less than loading a number from memory.
    work: (m * k * n * elementCount(stack)) / 8,
    emit: (context) => {
      const { addressOf, define, part } = context;
      // Threads share the matrices of a stack; blocksCode divides a single matrix.
      const share = partOfNest(stackNest(shape), stack.length > 0 ? part : whole);
      const body = blocksCode(shape, context);
      if (!share || body.length === 0) return [];
      const { nest, starts } = share;
      return [
        call(
          define('product', {
            about: [about],
            params: [],
            locals: localsOf(
              'i32',
              ...['a', 'b', 'out', 'block', 'blockOut', 'panel', 'column', 'bias', 'row', 'to', 'i', 'j', 'blocks'],
              ...counters(nest),
            ),
            body: [
              ...nest.pointers.map(({ local }, i) => set(local, i32(addressOf(at([a, b, out], i)) + at(starts, i)))),
              ...loops(nest, body),
            ],
          }),
        ),
      ];
    },
  };
}

function stackNest({ stack, aStrides, bStrides, m, k, n, bInPanels }: Multiplication): Nest {
  const outStrides = stack.map((_, axis) => 4 * m * n * elementCount(stack.slice(axis + 1)));
  const bBytes = 4 * (bInPanels ? panelCount(k, n) : k * n);
  return {
    counts: stack,
    pointers: [
      { local: 'a', strides: aStrides.map((stride) => 4 * m * k * stride) },
      { local: 'b', strides: bStrides.map((stride) => bBytes * stride) },
      { local: 'out', strides: outStrides },
    ],
  };
}

/** Whole panels, `count` from `from` on, and the number of columns beyond the last whole panel. */
interface Columns {
  readonly from: number;
  readonly count: number;
  readonly rest: number;
}

/** Returns what a thread computes of one matrix: all columns of some rows, or all rows of some columns. */
function shareOfProduct(
  { m, n, transA, stack }: Multiplication,
  part: Part,
): { rows: readonly Segment[]; columns: Columns } {
  const [full, rest] = [Math.floor(n / panelColumns), n % panelColumns];
  const all = { rows: segmentsOf(m), columns: { from: 0, count: full, rest } };
  const tileCount = Math.ceil(m / maxRows);
  if (stack.length > 0 || part.count === 1) return all;
  if (tileCount >= 2 * part.count && (transA || full < 2 * part.count)) {
    return { ...all, rows: segmentsOf(m, shareOf(tileCount, part)) };
  }
  const isLast = part.index === part.count - 1;
  return { ...all, columns: { ...shareOf(full, part), rest: isLast ? rest : 0 } };
}

/** Emits the loops over blocks of rows, and over the panels in each. */
function blocksCode(shape: Multiplication, context: Emit): readonly Wat[] {
  const { k, n, transA, aInTiles, bInPanels, bias } = shape;
  const { rows, columns } = shareOfProduct(shape, context.part);
  if (columns.count === 0 && columns.rest === 0) return [];
  const rowStep = transA && !aInTiles ? 4 : 4 * k;
  const panelStep = bInPanels ? k * panelBytes : panelBytes;
  const start = (local: string, from: string, bytes: number): Wat => set(local, plus(get(from), bytes));
  const block = (tile: number, count: number): readonly Wat[] => {
    const along = (width: number) => tilesCode(shape, tile, count, width, context);
    return [
      start('panel', 'b', columns.from * panelStep),
      start('column', 'blockOut', columns.from * panelBytes),
      ...(bias ? [set('bias', i32(context.addressOf(bias) + columns.from * panelBytes))] : []),
      ...(columns.count > 0
        ? repeat('j', columns.count, [
            ...along(panelColumns),
            advance('panel', panelStep),
            advance('column', panelBytes),
            ...(bias ? [advance('bias', panelBytes)] : []),
          ])
        : []),
      ...(columns.rest > 0 ? along(columns.rest) : []),
      advance('block', count * tile * rowStep),
      advance('blockOut', 4 * count * tile * n),
    ];
  };
  const segment = ({ rows: tile, count, start: first }: Segment): readonly Wat[] => {
    const max = Math.max(Math.floor(Math.max(blockBytes / (4 * k), blockRows) / tile), 1);
    const [blocks, rest] = [Math.floor(count / max), count % max];
    return [
      start('block', 'a', first * rowStep),
      start('blockOut', 'out', 4 * first * n),
      ...(blocks > 0 ? repeat('blocks', blocks, block(tile, max)) : []),
      ...(rest > 0 ? block(tile, rest) : []),
    ];
  };
  return rows.flatMap(segment);
}

/** Emits the calls that compute a panel's tiles in a block, one below the other. */
function tilesCode(shape: Multiplication, tile: number, count: number, width: number, context: Emit): readonly Wat[] {
  const { k, n, transA, aInTiles, bias } = shape;
  return [
    set('row', get('block')),
    set('to', get('column')),
    ...repeat('i', count, [
      call(
        defineTile(shape, tile, width, context),
        get('row'),
        get('panel'),
        ...(bias ? [get('bias')] : []),
        get('to'),
      ),
      advance('row', tile * (transA && !aInTiles ? 4 : 4 * k)),
      advance('to', 4 * tile * n),
    ]),
  ];
}

/** Returns how many steps of k one iteration of the loop takes: its body is unrolled. */
const stepsPerLoop = (k: number): number => [4, 3, 2].find((times) => k % times === 0) ?? 1;

/** Defines the function that computes one tile, and returns its name. */
function defineTile(shape: Multiplication, rows: number, columns: number, { define, madd }: Emit): string {
  const { m, k, n, transA, alpha, bias, aInTiles, bInPanels } = shape;
  const vectors = Math.ceil(columns / 4);
  const [rowBytes, kBytes] = aInTiles ? [4, 4 * rows] : transA ? [4, 4 * m] : [4 * k, 4];
  const panelStep = bInPanels ? panelBytes : 4 * n;
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
  const times = stepsPerLoop(k);
  const scaled = (value: Wat): Wat => (alpha === 1 ? value : vector('f32x4.mul', value, splat(alpha)));
  const finished = (value: Wat, v: number): Wat =>
    bias ? vector('f32x4.add', scaled(value), load(get('bias'), v * vectorBytes)) : scaled(value);
  return define('tile', {
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

/** Writes a vector of which `lanes` numbers belong to the row. */
function write(value: Wat, lanes: number, offset: number): readonly Wat[] {
  if (lanes >= 4) return [store(get('out'), value, offset)];
  return [set('ak', value), ...range(lanes).map((lane) => storeLane(lane, get('out'), get('ak'), offset + 4 * lane))];
}
