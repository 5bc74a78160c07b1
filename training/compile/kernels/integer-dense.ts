/**
 * A product with a matrix of 8-bit integers with a scale for each column, followed by an elementwise expression:
 *
 *     for each row m                                 out[m, :] = tree((x[m, :] Q) · scale + b)
 *       x[m, :] becomes integers, high and low       (fixed-point.ts)
 *       for each group of up to 16 columns           sums of four columns stay in registers, of highs and of lows
 *         for k in steps of eight                    eight highs in one load, and eight lows
 *           for each pair k, k + 1 of them           spread over a vector
 *             sum[j] += X[k] · Q[k, j] + X[k + 1] · Q[k + 1, j]    one instruction: eight products of four columns
 *
 * Only x is rounded: the sums are exact. One load brings sixteen integers instead of four floats, and each load is
 * bounds-checked. So products that do not wait for memory are as fast as with floats, or faster by half where all lows
 * are 0; products that wait for memory are faster still. A row that cannot be converted to integers, or would lose most
 * of its numbers, is multiplied with floats, weight by weight.
 */
import { at } from '../../arrays/index.ts';
import { type Buffer, Stored, vectorBytes, vectorsFor } from '../buffer.ts';
import { asColumn } from '../compact-weights.ts';
import { evaluate } from '../expression/expression.ts';
import { Lines } from '../expression/lines.ts';
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
  spread,
  store,
  vector,
  type Wat,
  zero,
} from '../wat.ts';
import type { Dense, Matrix } from './dense.ts';
import { blockBytes, blockLength, blocksAt, fixedBuffer, fixedCode, highUnit, partsAt } from './fixed-point.ts';
import type { Emit, Kernel } from './kernel.ts';
import { counters, loops } from './nest.ts';

/**
 * The vectors of a group: two sums for each, two pairs of x, and the weights take fourteen of the sixteen registers.
 */
const groupVectors = 4;
/** With more rows, a sum of products 127 · 2048 could exceed 32 bits. */
const maxRows = 8192;
/** With fewer columns, converting x would not pay. */
const minColumns = 16;

export interface IntegerMatrix {
  readonly rows: number;
  readonly columns: number;
  /** `[group][pair of k][column of the group][k of the pair]`, padded with zeros after the last row and column. */
  readonly numbers: Int8Array;
  /** The scale of each column. */
  readonly scales: Float32Array;
}

/** Returns the number of vectors in each group of columns. */
function groupsOf(columns: number): readonly number[] {
  const vectors = vectorsFor(columns);
  const rest = vectors % groupVectors;
  return [...range(Math.floor(vectors / groupVectors)).map(() => groupVectors), ...(rest > 0 ? [rest] : [])];
}

const paddedRows = (rows: number): number => blockLength * Math.ceil(rows / blockLength);

/** @returns undefined for a matrix that does not consist of such integers, or for which they do not pay */
export function integerMatrix({ rows, columns, at }: Matrix): IntegerMatrix | undefined {
  if (columns < minColumns || rows > maxRows) return undefined;
  const [height, width] = [paddedRows(rows), 4 * vectorsFor(columns)];
  const numbers = new Int8Array(height * width);
  const scales = new Float32Array(width).fill(1);
  for (let n = 0; n < columns; n++) {
    const column = asColumn(Float32Array.from(range(rows), (k) => at(k, n)));
    if (!column) return undefined;
    scales[n] = column.scale;
    const group = Math.floor(n / (4 * groupVectors));
    const [first, within] = [4 * groupVectors * group, n % (4 * groupVectors)];
    const groupWidth = Math.min(4 * groupVectors, width - first);
    column.numbers.forEach((number, k) => {
      numbers[height * first + 2 * (groupWidth * Math.floor(k / 2) + within) + (k % 2)] = number;
    });
  }
  return { rows, columns, numbers, scales };
}

export interface IntegerDense extends Omit<Dense, 'matrix'> {
  readonly matrix: IntegerMatrix;
}

export function integerDense({ about, rows, x, matrix, bias, epilogue, out }: IntegerDense): Kernel {
  const weights = new Stored(`${about}, weights`, matrix.numbers);
  const scales = new Stored(`${about}, scales`, matrix.scales);
  const fixed = fixedBuffer(`${about}, integers`, matrix.rows);
  return {
    about: `${about}: ${rows > 1 ? `${rows} × ` : ''}${matrix.rows} → ${matrix.columns}, of integers`,
    reads: [x, weights, scales, ...(bias ? [bias] : []), ...epilogue.operands],
    writes: [out, fixed],
    emit: (context) => {
      const { addressOf, define } = context;
      const groups = groupsOf(matrix.columns);
      const parts = [...new Set(groups)].map((vectors) => {
        const first = groups.indexOf(vectors) * groupVectors;
        return call(
          define('integers', groupCode({ matrix, vectors, bias, epilogue, scales, fixed }, context)),
          get('x'),
          i32(addressOf(weights) + 4 * paddedRows(matrix.rows) * first),
          plus(get('out'), first * vectorBytes),
          i32(first * vectorBytes),
          i32(groups.filter((width) => width === vectors).length),
        );
      });
      // A row's last vector may reach into the next row, so rows are computed in order.
      const pointers = [
        { local: 'x', strides: [4 * matrix.rows] },
        { local: 'out', strides: [4 * matrix.columns] },
      ];
      const nest = { counts: [rows], pointers };
      const starts = [set('x', i32(addressOf(x))), set('out', i32(addressOf(out)))];
      const convert = call(define('fixed', fixedCode(matrix.rows)), get('x'), i32(addressOf(fixed)));
      return [
        call(
          define('rows', {
            about: [about],
            params: [],
            locals: localsOf('i32', 'x', 'out', ...counters(nest)),
            body: [...starts, ...loops(nest, [convert, ...parts])],
          }),
        ),
      ];
    },
  };
}

interface Group extends Pick<IntegerDense, 'matrix' | 'bias' | 'epilogue'> {
  readonly vectors: number;
  readonly scales: Stored;
  readonly fixed: Buffer;
}

const high = (j: number): string => `high${j}`;
const low = (j: number): string => `low${j}`;

/**
 * Returns the code of `groups` consecutive groups of one width. `column` is their start among the vectors of the
 * columns, in bytes.
 */
function groupCode({ matrix, vectors, bias, epilogue, scales, fixed }: Group, { addressOf }: Emit) {
  const all = range(vectors);
  const scale = (j: number): Wat => load(get('column'), addressOf(scales) + j * vectorBytes);
  const lines = new Lines();
  for (const j of all) {
    const total = bias
      ? vector('f32x4.add', get(high(j)), load(get('column'), addressOf(bias) + j * vectorBytes))
      : get(high(j));
    const operands = epilogue.operands.map((operand) => load(get('column'), addressOf(operand) + j * vectorBytes));
    lines.add(store(get('out'), evaluate(lines, epilogue.tree, [total, ...operands]), j * vectorBytes));
  }
  const scaled = all.map((j) => {
    const asFloats = (sum: string): Wat => vector('f32x4.convert_i32x4_s', get(sum));
    const sum = vector('f32x4.add', vector('f32x4.mul', asFloats(high(j)), splatUnit), asFloats(low(j)));
    return set(high(j), vector('f32x4.mul', vector('f32x4.mul', sum, load(i32(addressOf(fixed)))), scale(j)));
  });
  return {
    about: [`${vectors} vectors of columns at a time, ${matrix.rows} rows of integers`],
    params: ['x', 'w', 'out', 'column', 'groups'],
    locals: {
      ...localsOf('i32', 'at', 'from', 'k', 'parts'),
      ...localsOf('v128', 'highs', 'lows', 'xk', 'yk', 'two', 'q', ...all.map(high), ...all.map(low)),
      ...lines.locals,
    },
    body: [
      set('parts', `(i32.load offset=${addressOf(fixed) + partsAt} (i32.const 0))`),
      '(loop $group',
      ...all.flatMap((j) => [set(high(j), zero), set(low(j), zero)]),
      set('from', get('w')),
      `(if ${get('parts')} (then`,
      set('at', i32(addressOf(fixed) + blocksAt)),
      `(if (i32.eq ${get('parts')} (i32.const 1)) (then`,
      ...integerSteps(matrix.rows, vectors, [high]),
      ') (else',
      ...integerSteps(matrix.rows, vectors, [high, low]),
      '))',
      ...scaled,
      ') (else',
      ...floatSteps(matrix.rows, vectors, scale),
      '))',
      ...lines.statements,
      advance('w', 4 * paddedRows(matrix.rows) * vectors),
      advance('out', vectors * vectorBytes),
      advance('column', vectors * vectorBytes),
      '(br_if $group (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))',
    ],
  };
}

const splatUnit = vector('f32x4.splat', `(f32.const ${highUnit})`);

/** The bytes of a pair of rows in a vector of columns. */
const pairBytes = 8;

/** Adds up products of the highs alone, or of highs and lows. */
function integerSteps(rows: number, vectors: number, sums: readonly ((j: number) => string)[]): readonly Wat[] {
  const parts = [
    { block: 'highs', pair: 'xk' },
    { block: 'lows', pair: 'yk' },
  ].slice(0, sums.length);
  const multiply = (j: number): readonly Wat[] =>
    parts.map(({ pair }, part) => {
      const sum = at(sums, part)(j);
      return set(sum, vector('i32x4.add', get(sum), vector('i32x4.dot_i16x8_s', get('q'), get(pair))));
    });
  const eachPair = range(blockLength / 2).flatMap((pair) => [
    ...parts.map((part) => set(part.pair, spread(pair, get(part.block)))),
    ...eachVector(vectors, pair).flatMap(({ fetch, j }) => [...fetch, ...multiply(j)]),
  ]);
  return repeat('k', paddedRows(rows) / blockLength, [
    ...parts.map(({ block }, part) => set(block, load(get('at'), part * vectorBytes))),
    ...eachPair,
    advance('at', blockBytes),
    advance('from', (blockLength / 2) * vectors * pairBytes),
  ]);
}

/**
 * Returns, for each vector of columns, the code that loads its weights of a pair of rows into `q`. One load brings
 * those of two vectors.
 */
function eachVector(vectors: number, pair: number): readonly { readonly j: number; readonly fetch: readonly Wat[] }[] {
  return range(vectors).map((j) => {
    const offset = pairBytes * (pair * vectors + j);
    const isLastOdd = j % 2 === 0 && j + 1 === vectors;
    if (isLastOdd) return { j, fetch: [set('q', `(v128.load8x8_s offset=${offset} align=1 ${get('from')})`)] };
    const widen = (half: 'low' | 'high') => set('q', vector(`i16x8.extend_${half}_i8x16_s`, get('two')));
    return { j, fetch: j % 2 === 0 ? [set('two', load(get('from'), offset)), widen('low')] : [widen('high')] };
  });
}

/** Adds up the same products in single precision, with each weight times its scale, in the locals of the highs. */
function floatSteps(rows: number, vectors: number, scale: (j: number) => Wat): readonly Wat[] {
  const add = (j: number, x: string, integers: Wat): Wat => {
    const weight = vector('f32x4.mul', vector('f32x4.convert_i32x4_s', integers), scale(j));
    return set(high(j), vector('f32x4.add', get(high(j)), vector('f32x4.mul', get(x), weight)));
  };
  const step = (rowsOfPair: number): readonly Wat[] => [
    set('xk', loadSplat(get('at'))),
    ...(rowsOfPair > 1 ? [set('yk', loadSplat(get('at'), 4))] : []),
    ...range(vectors).flatMap((j) => {
      const second = vector('i32x4.shr_s', get('q'), i32(16));
      const first = vector('i32x4.shr_s', vector('i32x4.shl', get('q'), i32(16)), i32(16));
      return [
        set('q', `(v128.load8x8_s offset=${pairBytes * j} align=1 ${get('from')})`),
        add(j, 'xk', first),
        ...(rowsOfPair > 1 ? [add(j, 'yk', second)] : []),
      ];
    }),
  ];
  const pairs = Math.floor(rows / 2);
  return [
    set('at', get('x')),
    ...(pairs > 0 ? repeat('k', pairs, [...step(2), advance('at', 8), advance('from', vectors * pairBytes)]) : []),
    ...(rows % 2 > 0 ? step(1) : []),
  ];
}
