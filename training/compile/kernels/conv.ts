/**
 * Direct convolution: no matrix of patches is written. Images lie in blocks of four channels, so a sum is a vector of
 * four output channels, and stride and dilation only decide where the next pixel is.
 *
 *     for each 16 output channels                    (four blocks; fewer where there are fewer)
 *       for each two rows of the output
 *         for each column                            two pixels × 16 channels: eight sums stay in registers
 *           for each block of input channels
 *             for each tap ky, kx                    (unrolled in the code)
 *               for each of the block's channels     spread over a vector
 *                 sum[pixel][block] += x[pixel + tap] · w[tap][channel][block]
 *           out = tree(sum + b)
 *
 * Weights are packed in exactly the order in which they are read. The two pixels have two pointers: one row above the
 * other, or the halves of the last row where the number of rows is odd. With eight channels or fewer, a tile has more
 * columns. The last tile of a row ends with the row, and computes some pixels twice where the columns do not divide
 * evenly.
 */
import { type Blocked, Stored, vectorBytes } from '../buffer.ts';
import { evaluate } from '../expression/expression.ts';
import { Lines } from '../expression/lines.ts';
import {
  advance,
  call,
  comment,
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
  type Wat,
  zero,
} from '../wat.ts';
import type { Epilogue } from './dense.ts';
import { type Filters, packFilters, type Part, partsOf } from './filters.ts';
import type { Emit, Kernel } from './kernel.ts';
import { loops } from './nest.ts';
import { borderOf, type Window } from './window.ts';

export interface Conv {
  readonly about: string;
  readonly x: Blocked;
  readonly out: Blocked;
  readonly window: Window;
  readonly filters: Filters;
  /** One number for each output channel, padded to whole vectors. */
  readonly bias: Stored | undefined;
  readonly epilogue: Epilogue;
}

/** The number of sums in a tile. */
const sums = 8;
/** The maximum number of taps that are unrolled. With more taps, only those of a row are. */
const maxTaps = 9;

/**
 * @param filters Where there are several groups, the channels of each must fill whole blocks, of inputs and of outputs
 */
export function conv(shape: Conv): Kernel {
  const { about, x, out, window, filters, bias, epilogue } = shape;
  x.widen(borderOf(window));
  const parts = partsOf(filters);
  const rows = filters.inputs * window.rows.kernel * window.columns.kernel;
  const sections = parts.map(({ blocks }) => ({ rows, vectors: blocks }));
  const weights = new Stored(`${about}, weights`, packFilters(filters, parts, window), sections);
  return {
    about: `${about}: ${filters.inputs * filters.groups} → ${filters.outputs} channels, ${window.rows.kernel} × ${window.columns.kernel}`,
    reads: [x, weights, ...(bias ? [bias] : []), ...epilogue.operands],
    writes: [out],
    emit: (context) => {
      let at = context.addressOf(weights);
      return parts.map((part) => {
        const here = at;
        at += vectorBytes * part.blocks * rows;
        return call(context.define('conv', partCode(shape, part, here, context)));
      });
    },
  };
}

/** Returns the code of a part for all pixels, divided into tiles. */
function partCode(shape: Conv, { firstBlock, blocks, group }: Part, weights: number, context: Emit) {
  const { x, out, window, filters } = shape;
  const { rows, columns } = window;
  const width = Math.min(columns.outputs, largestPower(sums / 2 / blocks));
  const line = context.define('line', lineCode(shape, blocks, width, context));
  const from =
    context.addressOf(x) +
    x.origin -
    rows.before * x.rowBytes -
    columns.before * vectorBytes +
    ((group * filters.inputs) / 4) * x.planeBytes;
  const to = context.addressOf(out) + out.origin + firstBlock * out.planeBytes;
  const xStep = columns.stride * vectorBytes;
  /**
   * Calls `steps` tiles from a column on, in the rows at the pointers. The second pixel may be `apart` columns further.
   */
  const tiles = (a: Wat, b: Wat, toA: Wat, toB: Wat, column: number, steps: number, apart = 0): Wat =>
    call(
      line,
      plus(a, column * xStep),
      plus(b, (column + apart) * xStep),
      plus(toA, column * vectorBytes),
      plus(toB, (column + apart) * vectorBytes),
      i32(weights),
      i32(firstBlock * vectorBytes),
      i32(steps),
    );
  /** Covers a row from its first column to its last; the last tile ends with the row. */
  const row = (a: Wat, b: Wat, toA: Wat, toB: Wat, count: number, apart = 0): readonly Wat[] => {
    const steps = Math.floor(count / width);
    return [
      tiles(a, b, toA, toB, 0, steps, apart),
      ...(count % width > 0 ? [tiles(a, b, toA, toB, count - width, 1, apart)] : []),
    ];
  };
  const xRow = rows.stride * x.rowBytes;
  const pairs = Math.floor(rows.outputs / 2);
  const nest = {
    counts: [pairs],
    pointers: [
      { local: 'x', strides: [2 * xRow] },
      { local: 'to', strides: [2 * out.rowBytes] },
    ],
  };
  const half = Math.max(width, Math.ceil(columns.outputs / 2));
  const [a, to0] = [get('x'), get('to')];
  return {
    about: [`${shape.about}: blocks ${firstBlock} to ${firstBlock + blocks - 1}`],
    params: [],
    locals: localsOf('i32', 'x', 'to', 'i0'),
    body: [
      set('x', i32(from)),
      set('to', i32(to)),
      ...(pairs > 0 ? loops(nest, row(a, plus(a, xRow), to0, plus(to0, out.rowBytes), columns.outputs)) : []),
      ...(rows.outputs % 2 > 0 ? row(a, a, to0, to0, half, columns.outputs - half) : []),
    ],
  };
}

const largestPower = (min: number): number => 2 ** Math.floor(Math.log2(Math.max(1, min)));

/**
 * Returns the code of consecutive tiles: from `a` and `b` to `to_a` and `to_b`. `column` is the part's first channel,
 * in bytes.
 */
function lineCode(shape: Conv, blocks: number, width: number, { addressOf, madd }: Emit) {
  const { out, window, filters, bias, epilogue } = shape;
  const { rows, columns } = window;
  const step = columns.stride * vectorBytes;
  const pixels = (['a', 'b'] as const).flatMap((row) => range(width).map((column) => ({ row, column })));
  const sum = (pixel: number, block: number): string => `sum${pixel}_${block}`;
  const all = pixels.flatMap((_, pixel) => range(blocks).map((block) => sum(pixel, block)));
  const accumulate = (pixel: number, block: number, factor: Wat, weight: Wat): Wat =>
    set(sum(pixel, block), madd(get(sum(pixel, block)), factor, weight));
  const tile: Tile = { shape, blocks, step, pixels, accumulate };

  const wholeBlocks = Math.floor(filters.inputs / 4);
  const lines = new Lines();
  pixels.forEach(({ row, column }, i) => {
    for (const index of range(blocks)) {
      const operands = epilogue.operands.map((operand) =>
        load(get('column'), addressOf(operand) + index * vectorBytes),
      );
      const value = evaluate(lines, epilogue.tree, [get(sum(i, index)), ...operands]);
      lines.add(store(get(`to_${row}`), value, index * out.planeBytes + column * vectorBytes));
    }
  });
  return {
    about: [
      `tiles of 2 × ${width} pixels × ${4 * blocks} channels from ${filters.inputs} channels, ` +
        `${rows.kernel} × ${columns.kernel} taps`,
    ],
    params: ['a', 'b', 'to_a', 'to_b', 'weights', 'column', 'steps'],
    locals: {
      ...localsOf('i32', 'x_a', 'x_b', 'w', 'ky', 'blocks'),
      ...localsOf('v128', ...all, 'factor', ...range(blocks).map((i) => `weight${i}`)),
      ...localsOf('v128', ...pixels.flatMap((_, i) => [`pixel${i}`, `factor${i}`])),
      ...lines.locals,
    },
    body: [
      '(loop $tile',
      ...range(blocks).flatMap((index) => {
        const first = bias ? load(get('column'), addressOf(bias) + index * vectorBytes) : zero;
        return pixels.map((_, i) => set(sum(i, index), i === 0 ? first : get(sum(0, index))));
      }),
      set('x_a', get('a')),
      set('x_b', get('b')),
      set('w', get('weights')),
      ...(wholeBlocks > 0 ? repeat('blocks', wholeBlocks, blockCode(tile, 4)) : []),
      ...(filters.inputs % 4 > 0 ? blockCode(tile, filters.inputs % 4) : []),
      ...lines.statements,
      advance('a', width * step),
      advance('b', width * step),
      advance('to_a', width * vectorBytes),
      advance('to_b', width * vectorBytes),
      '(br_if $tile (local.tee $steps (i32.sub (local.get $steps) (i32.const 1)))))',
    ],
  };
}

/** The two rows of pixels that are computed together, and where their sums are. */
interface Tile {
  readonly shape: Conv;
  readonly blocks: number;
  /** The distance between two pixels of x, in bytes. */
  readonly step: number;
  readonly pixels: readonly { readonly row: 'a' | 'b'; readonly column: number }[];
  readonly accumulate: (pixel: number, block: number, factor: Wat, weight: Wat) => Wat;
}

/** Adds all taps of a block with `lanes` channels, and moves x to the next block. */
function blockCode(tile: Tile, lanes: number): readonly Wat[] {
  const { blocks, shape } = tile;
  const { x, window } = shape;
  const { rows, columns } = window;
  const taps = rows.kernel * columns.kernel;
  const vectors = lanes * blocks;
  const rowOfTaps = (ky: number, kyInCode: number): readonly Wat[] =>
    range(columns.kernel).flatMap((kx) => [
      comment(`tap ${ky}, ${kx}`),
      ...tapCode(
        tile,
        lanes,
        (kyInCode * columns.kernel + kx) * vectors,
        kyInCode * rows.dilation * x.rowBytes + kx * columns.dilation * vectorBytes,
      ),
    ]);
  const next = (bytes: number): readonly Wat[] => [advance('x_a', bytes), advance('x_b', bytes)];
  if (taps <= maxTaps)
    return [
      ...range(rows.kernel).flatMap((ky) => rowOfTaps(ky, ky)),
      ...next(x.planeBytes),
      advance('w', taps * vectors * vectorBytes),
    ];
  const down = rows.dilation * x.rowBytes;
  return [
    ...repeat('ky', rows.kernel, [
      ...rowOfTaps(0, 0),
      ...next(down),
      advance('w', columns.kernel * vectors * vectorBytes),
    ]),
    ...next(x.planeBytes - rows.kernel * down),
  ];
}

/** Adds one tap for `lanes` channels of a block. `weight` counts vectors, `offset` bytes of x. */
function tapCode(
  { blocks, step, pixels, accumulate }: Tile,
  lanes: number,
  weight: number,
  offset: number,
): readonly Wat[] {
  const place = ({ column }: (typeof pixels)[number]): number => offset + column * step;
  const weightOf = (lane: number, block: number): Wat => load(get('w'), vectorBytes * (weight + lane * blocks + block));
  // With few blocks the weights stay in registers, otherwise the pixels do.
  if (blocks <= 2)
    return range(lanes).flatMap((lane) => [
      ...range(blocks).map((block) => set(`weight${block}`, weightOf(lane, block))),
      ...pixels.flatMap((pixel, i) => [
        set('factor', loadSplat(get(`x_${pixel.row}`), place(pixel) + 4 * lane)),
        ...range(blocks).map((block) => accumulate(i, block, get('factor'), get(`weight${block}`))),
      ]),
    ]);
  return [
    ...pixels.map((pixel, i) => set(`pixel${i}`, load(get(`x_${pixel.row}`), place(pixel)))),
    ...range(lanes).flatMap((lane) => [
      ...pixels.map((_, i) => set(`factor${i}`, spread(lane, get(`pixel${i}`)))),
      ...range(blocks).flatMap((block) => [
        set('weight0', weightOf(lane, block)),
        ...pixels.map((_, i) => accumulate(i, block, get(`factor${i}`), get('weight0'))),
      ]),
    ]),
  ];
}
