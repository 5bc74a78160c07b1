/**
 * A product with a matrix that the module contains, followed by an elementwise expression:
 *
 *     for each row m                                 out[m, :] = tree(x[m, :] W + b)
 *       for each group of up to 32 columns           eight sums of four columns stay in registers
 *         for k in steps of four                     four of x in one load
 *           for each of the four                     spread over a vector
 *             sum[j] += x[k] · W[k, j]               W is packed in exactly this order: one stream through memory
 *
 * A group of few columns would wait for its own additions. There each of the four has its own sums, which are added at
 * the end.
 */
import { type Buffer, type Plain, Stored, vectorBytes, vectorsFor } from '../buffer.ts';
import { evaluate, type Expression } from '../expression/expression.ts';
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
import type { Emit, Kernel } from './kernel.ts';
import { counters, loops } from './nest.ts';

/** The number of sums in registers: of sixteen registers, two hold factors, and the engine needs some. */
const sums = 8;

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Returns the number at row k (of the input) and column n (of the output). */
  readonly at: (k: number, n: number) => number;
}

/** The expression that follows the product. Operand 0 is the product, the others are vectors over the columns. */
export interface Epilogue {
  readonly tree: Expression;
  readonly operands: readonly Stored[];
}

export interface Dense {
  readonly about: string;
  readonly rows: number;
  readonly x: Buffer;
  readonly matrix: Matrix;
  readonly bias: Stored | undefined;
  readonly epilogue: Epilogue;
  readonly out: Plain;
}

/** Returns the number of vectors in each group of columns. */
function groupsOf(columns: number): readonly number[] {
  const vectors = vectorsFor(columns);
  return [...range(Math.floor(vectors / sums)).map(() => sums), ...(vectors % sums ? [vectors % sums] : [])];
}

/** Packs a matrix group by group, k by k: `[group][k][column of the group]`. */
function packMatrix({ rows, columns, at }: Matrix): Float32Array {
  const packed = new Float32Array(rows * 4 * vectorsFor(columns));
  let next = 0;
  let first = 0;
  for (const vectors of groupsOf(columns)) {
    for (let k = 0; k < rows; k++) {
      for (let n = first; n < first + 4 * vectors; n++) packed[next++] = n < columns ? at(k, n) : 0;
    }
    first += 4 * vectors;
  }
  return packed;
}

export function dense({ about, rows, x, matrix, bias, epilogue, out }: Dense): Kernel {
  const sections = groupsOf(matrix.columns).map((vectors) => ({ rows: matrix.rows, vectors }));
  const weights = new Stored(`${about}, weights`, packMatrix(matrix), sections);
  return {
    about: `${about}: ${rows > 1 ? `${rows} × ` : ''}${matrix.rows} → ${matrix.columns}`,
    reads: [x, weights, ...(bias ? [bias] : []), ...epilogue.operands],
    writes: [out],
    emit: (context) => {
      const { addressOf, define } = context;
      const groups = groupsOf(matrix.columns);
      const parts = [...new Set(groups)].map((vectors) => {
        const offset = groups.indexOf(vectors) * sums * vectorBytes;
        return call(
          define('dense', groupCode({ matrix, vectors, bias, epilogue }, context)),
          get('x'),
          i32(addressOf(weights) + matrix.rows * offset),
          plus(get('out'), offset),
          i32(offset),
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
      return [
        call(
          define('rows', {
            about: [about],
            params: [],
            locals: localsOf('i32', 'x', 'out', ...counters(nest)),
            body: [...starts, ...loops(nest, parts)],
          }),
        ),
      ];
    },
  };
}

interface Group extends Pick<Dense, 'matrix' | 'bias' | 'epilogue'> {
  readonly vectors: number;
}

/**
 * Returns the code of `groups` consecutive groups of one width. `column` is their start among the vectors of the
 * columns, in bytes.
 */
function groupCode({ matrix, vectors, bias, epilogue }: Group, { addressOf, madd }: Emit) {
  const { rows } = matrix;
  const copies = Math.max(1, Math.min(4, Math.floor(sums / vectors)));
  const sum = (copy: number, j: number): string => `sum${copy}_${j}`;
  const all = range(copies).flatMap((copy) => range(vectors).map((j) => sum(copy, j)));
  const product = (lane: number, x: Wat): readonly Wat[] => [
    set('xk', x),
    ...range(vectors).map((j) => {
      const name = sum(lane % copies, j);
      const weight = load(get('w'), vectorBytes * (lane * vectors + j));
      return set(name, madd(get(name), get('xk'), weight));
    }),
  ];
  const rest = rows % 4;
  const steps = [
    ...(rows >= 4
      ? repeat('k', Math.floor(rows / 4), [
          set('xs', load(get('at'))),
          ...range(4).flatMap((lane) => product(lane, spread(lane, get('xs')))),
          advance('at', 16),
          advance('w', 4 * vectors * vectorBytes),
        ])
      : []),
    ...range(rest).flatMap((lane) => product(lane, loadSplat(get('at'), 4 * lane))),
    ...(rest > 0 ? [advance('w', rest * vectors * vectorBytes)] : []),
  ];
  const lines = new Lines();
  for (const j of range(vectors)) {
    const total = range(copies)
      .map((copy) => get(sum(copy, j)))
      .reduce((a, b) => vector('f32x4.add', a, b));
    const operands = epilogue.operands.map((operand) => load(get('column'), addressOf(operand) + j * vectorBytes));
    lines.add(store(get('out'), evaluate(lines, epilogue.tree, [total, ...operands]), j * vectorBytes));
  }
  return {
    about: [`${vectors} vectors of columns at a time, ${rows} rows`],
    params: ['x', 'w', 'out', 'column', 'groups'],
    locals: { ...localsOf('i32', 'at', 'k'), ...localsOf('v128', 'xs', 'xk', ...all), ...lines.locals },
    body: [
      '(loop $group',
      ...range(copies).flatMap((copy) =>
        range(vectors).map((j) =>
          set(sum(copy, j), copy === 0 && bias ? load(get('column'), addressOf(bias) + j * vectorBytes) : zero),
        ),
      ),
      set('at', get('x')),
      ...steps,
      ...lines.statements,
      advance('out', vectors * vectorBytes),
      advance('column', vectors * vectorBytes),
      '(br_if $group (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))',
    ],
  };
}
