/**
 * The maximum or mean of each window, four channels at a time:
 *
 *     for each block of channels
 *       for each row and column of the output          out = fold of x over the window's taps
 *
 * Windows that reach beyond the image have fewer taps. They have separate loops, one for each combination of taps.
 */
import { type Blocked, type Plain, vectorBytes } from '../buffer.ts';
import { advance, call, get, i32, load, localsOf, range, repeat, set, splat, store, vector, zero } from '../wat.ts';
import type { Emit, Kernel } from './kernel.ts';
import { loops } from './nest.ts';
import { type Fold, foldTwo } from './row.ts';
import { type Stretch, stretchesOf, type Window } from './window.ts';

export interface Pool {
  readonly about: string;
  readonly x: Blocked;
  readonly out: Blocked;
  readonly window: Window;
  readonly fold: Fold;
}

export function pool(shape: Pool): Kernel {
  const { about, x, out, window } = shape;
  return {
    about: `${about}: windows of ${window.rows.kernel} × ${window.columns.kernel}`,
    reads: [x],
    writes: [out],
    emit: (context) =>
      stretchesOf(window.rows).flatMap((rows) =>
        stretchesOf(window.columns).map((columns) =>
          call(context.define('pool', stretchCode(shape, rows, columns, context))),
        ),
      ),
  };
}

function stretchCode({ about, x, out, window, fold }: Pool, rows: Stretch, columns: Stretch, { addressOf }: Emit) {
  const xRow = window.rows.stride * x.rowBytes;
  const xColumn = window.columns.stride * vectorBytes;
  const nest = {
    counts: [out.blocks, rows.count, columns.count],
    pointers: [
      { local: 'x', strides: [x.planeBytes, xRow, xColumn] },
      { local: 'to', strides: [out.planeBytes, out.rowBytes, vectorBytes] },
    ],
  };
  const firstRow = rows.from * window.rows.stride - window.rows.before + rows.firstTap * window.rows.dilation;
  const firstColumn =
    columns.from * window.columns.stride - window.columns.before + columns.firstTap * window.columns.dilation;
  const taps = range(rows.taps).flatMap((ky) =>
    range(columns.taps).map((kx) =>
      load(get('x'), ky * window.rows.dilation * x.rowBytes + kx * window.columns.dilation * vectorBytes),
    ),
  );
  const [first = zero, ...others] = taps;
  const result = fold === 'add' ? vector('f32x4.div', get('total'), splat(taps.length)) : get('total');
  return {
    about: [about],
    params: [],
    locals: { ...localsOf('i32', 'x', 'to', 'i0', 'i1', 'i2'), ...localsOf('v128', 'total') },
    body: [
      set('x', i32(addressOf(x) + x.origin + firstRow * x.rowBytes + firstColumn * vectorBytes)),
      set('to', i32(addressOf(out) + out.origin + rows.from * out.rowBytes + columns.from * vectorBytes)),
      ...loops(nest, [
        set('total', first),
        ...others.map((tap) => set('total', foldTwo(fold, get('total'), tap))),
        store(get('to'), result),
      ]),
    ],
  };
}

/** Pools all pixels of each channel. */
export function globalPool(about: string, x: Blocked, out: Plain, fold: Fold, isMean: boolean): Kernel {
  return {
    about: `${about}: all pixels of each channel`,
    reads: [x],
    writes: [out],
    emit: ({ addressOf, define }) => {
      const gap = x.rowBytes - x.width * vectorBytes;
      const count = splat(x.height * x.width);
      const result = isMean ? vector('f32x4.div', get('total'), count) : get('total');
      const body = [
        set('total', load(get('x'))),
        ...(fold === 'add' ? [set('total', zero)] : []),
        set('at', get('x')),
        ...repeat('rows', x.height, [
          ...repeat('columns', x.width, [
            set('total', foldTwo(fold, get('total'), load(get('at')))),
            advance('at', vectorBytes),
          ]),
          advance('at', gap),
        ]),
        store(get('to'), result),
        advance('x', x.planeBytes),
        advance('to', vectorBytes),
      ];
      return [
        call(
          define('pool', {
            about: [about],
            params: [],
            locals: { ...localsOf('i32', 'x', 'to', 'at', 'blocks', 'rows', 'columns'), ...localsOf('v128', 'total') },
            body: [
              set('x', i32(addressOf(x) + x.origin)),
              set('to', i32(addressOf(out))),
              ...repeat('blocks', x.blocks, body),
            ],
          }),
        ),
      ];
    },
  };
}
