/**
 * Convolutions whose output channels each see few input channels.
 *
 * With one input for each output (depthwise), four channels are four lanes throughout:
 *
 *     for each block of channels
 *       for each row of the output
 *         for each four columns                  four sums stay in registers
 *           for each tap                         sum[pixel] += x[pixel + tap] · w[tap]
 *
 * With any other groups, the lanes of x are loaded one by one from the channels that each output sees. A table lists
 * these channels.
 */
import { Stored, vectorBytes, vectorsFor } from '../buffer.ts';
import { evaluate } from '../expression/expression.ts';
import { Lines } from '../expression/lines.ts';
import {
  advance,
  call,
  get,
  i32,
  load,
  loadLane,
  loadSplat,
  localsOf,
  plus,
  range,
  repeat,
  set,
  store,
  type Wat,
  zero,
} from '../wat.ts';
import type { Conv } from './conv.ts';
import { type Filters, packByOutput } from './filters.ts';
import type { Emit, Kernel } from './kernel.ts';
import { loops } from './nest.ts';
import { borderOf } from './window.ts';

/** The number of pixels in a tile. */
const widest = 4;

export function depthwise(shape: Conv): Kernel {
  const { about, x, out, window, filters, bias, epilogue } = shape;
  x.widen(borderOf(window));
  const rows = filters.inputs * window.rows.kernel * window.columns.kernel;
  const sections = range(vectorsFor(filters.outputs)).map(() => ({ rows, vectors: 1 }));
  const weights = new Stored(`${about}, weights`, packByOutput(filters, window), sections);
  const lanes = filters.inputs === 1 && filters.groups === filters.outputs ? undefined : placesOf(filters);
  return {
    about: `${about}: ${filters.groups} groups, ${window.rows.kernel} × ${window.columns.kernel}`,
    reads: [x, weights, ...(lanes ? [lanes] : []), ...(bias ? [bias] : []), ...epilogue.operands],
    writes: [out],
    emit: (context) => [call(context.define('depthwise', code(shape, weights, lanes, context)))],
  };
}

/** Lists the channel that each output of a block sees as its input: `[block][input][4]`. */
function placesOf({ outputs, inputs, groups }: Filters): Stored {
  const places = range(vectorsFor(outputs)).flatMap((block) =>
    range(inputs).flatMap((input) =>
      range(4).map((lane) => {
        const output = Math.min(4 * block + lane, outputs - 1);
        return Math.floor(output / (outputs / groups)) * inputs + input;
      }),
    ),
  );
  return new Stored('channels that each output sees', Int32Array.from(places));
}

function code(shape: Conv, weights: Stored, places: Stored | undefined, context: Emit) {
  const { x, out, window, filters } = shape;
  const { rows, columns } = window;
  const { addressOf } = context;
  const width = Math.min(widest, columns.outputs);
  const start = addressOf(x) + x.origin - rows.before * x.rowBytes - columns.before * vectorBytes;
  const tile = places ? gathered(shape, width, context) : straight(shape, width, context);
  const line = context.define('line', tile);
  const step = columns.stride * vectorBytes;
  const part = (column: number, steps: number): Wat =>
    call(
      line,
      plus(get('x'), column * step),
      plus(get('to'), column * vectorBytes),
      get('w'),
      get('column'),
      get('places'),
      i32(steps),
    );
  const rest = columns.outputs % width;
  const taps = rows.kernel * columns.kernel * filters.inputs;
  const nest = {
    counts: [out.blocks, rows.outputs],
    pointers: [
      // Where lanes are loaded one by one, x counts from the image's first channel.
      { local: 'x', strides: [places ? 0 : x.planeBytes, rows.stride * x.rowBytes] },
      { local: 'to', strides: [out.planeBytes, out.rowBytes] },
      { local: 'w', strides: [taps * vectorBytes, 0] },
      { local: 'column', strides: [vectorBytes, 0] },
      { local: 'places', strides: [filters.inputs * vectorBytes, 0] },
    ],
  };
  return {
    about: [shape.about],
    params: [],
    locals: localsOf('i32', 'x', 'to', 'w', 'column', 'places', 'i0', 'i1'),
    body: [
      set('x', i32(start)),
      set('to', i32(addressOf(out) + out.origin)),
      set('w', i32(addressOf(weights))),
      set('column', i32(0)),
      set('places', i32(places ? addressOf(places) : 0)),
      ...loops(nest, [
        part(0, Math.floor(columns.outputs / width)),
        ...(rest > 0 ? [part(columns.outputs - width, 1)] : []),
      ]),
    ],
  };
}

const params = ['x', 'to', 'w', 'column', 'places', 'steps'];
const sum = (pixel: number): string => `sum${pixel}`;

/** Returns the code of tiles whose input channels are the block's own. */
function straight(shape: Conv, width: number, context: Emit) {
  const { x, window } = shape;
  const { rows, columns } = window;
  const step = columns.stride * vectorBytes;
  const taps = range(rows.kernel).flatMap((ky) =>
    range(columns.kernel).flatMap((kx) => {
      const offset = ky * rows.dilation * x.rowBytes + kx * columns.dilation * vectorBytes;
      return [
        set('weight', load(get('w'), (ky * columns.kernel + kx) * vectorBytes)),
        ...range(width).map((i) =>
          set(sum(i), context.madd(get(sum(i)), load(get('x'), offset + i * step), get('weight'))),
        ),
      ];
    }),
  );
  return tileCode(shape, width, context, taps);
}

/** Returns the code of tiles whose lanes are each loaded from another channel. */
function gathered(shape: Conv, width: number, context: Emit) {
  const { x, window, filters } = shape;
  const { rows, columns } = window;
  const step = columns.stride * vectorBytes;
  const pointer = (lane: number): string => `lane${lane}`;
  const pixel = (offset: number): Wat =>
    range(3).reduce(
      (value, i) => loadLane(i + 1, get(pointer(i + 1)), value, offset),
      loadSplat(get(pointer(0)), offset),
    );
  const rowOfTaps = range(columns.kernel).flatMap((kx) => [
    set('weight', load(get('v'), kx * vectorBytes)),
    ...range(width).map((i) =>
      set(sum(i), context.madd(get(sum(i)), pixel(kx * columns.dilation * vectorBytes + i * step), get('weight'))),
    ),
  ]);
  const down = rows.dilation * x.rowBytes;
  // Channel c is in block ⌊c / 4⌋, lane c mod 4.
  const placeOf = (lane: number): Wat =>
    `(i32.add ${get('x')} (i32.add (i32.mul (i32.shr_u (i32.load offset=${4 * lane} ${get('place')}) (i32.const 2)) ` +
    `${i32(x.planeBytes)}) (i32.shl (i32.and (i32.load offset=${4 * lane} ${get('place')}) (i32.const 3)) (i32.const 2))))`;
  const taps = [
    set('v', get('w')),
    set('place', get('places')),
    ...repeat('inputs', filters.inputs, [
      ...range(4).map((lane) => set(pointer(lane), placeOf(lane))),
      ...repeat('ky', rows.kernel, [
        ...rowOfTaps,
        ...range(4).map((lane) => advance(pointer(lane), down)),
        advance('v', columns.kernel * vectorBytes),
      ]),
      advance('place', vectorBytes),
    ]),
  ];
  return tileCode(shape, width, context, taps, [...range(4).map(pointer), ...['v', 'place', 'inputs', 'ky']]);
}

function tileCode(
  { out, window, bias, epilogue }: Conv,
  width: number,
  { addressOf }: Emit,
  taps: readonly Wat[],
  more: readonly string[] = [],
) {
  const lines = new Lines();
  for (const i of range(width)) {
    const operands = epilogue.operands.map((operand) => load(get('column'), addressOf(operand)));
    lines.add(store(get('to'), evaluate(lines, epilogue.tree, [get(sum(i)), ...operands]), i * vectorBytes));
  }
  const first = bias ? load(get('column'), addressOf(bias)) : zero;
  return {
    about: [`tiles of ${width} pixels of ${out.name}`],
    params,
    locals: {
      ...localsOf('i32', ...more),
      ...localsOf('v128', 'weight', ...range(width).map(sum)),
      ...lines.locals,
    },
    body: [
      '(loop $tile',
      ...range(width).map((i) => set(sum(i), i === 0 ? first : get(sum(0)))),
      ...taps,
      ...lines.statements,
      advance('x', width * window.columns.stride * vectorBytes),
      advance('to', width * vectorBytes),
      '(br_if $tile (local.tee $steps (i32.sub (local.get $steps) (i32.const 1)))))',
    ],
  };
}
