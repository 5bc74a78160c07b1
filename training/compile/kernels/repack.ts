/** Converts between the two layouts, and writes the zeros around an image. */
import { type Blocked, type Buffer, type Plain, vectorBytes } from '../buffer.ts';
import {
  advance,
  call,
  get,
  i32,
  load,
  loadLane,
  loadSplat,
  localsOf,
  range,
  repeat,
  set,
  store,
  storeLane,
  type Wat,
  zero,
} from '../wat.ts';
import type { Emit, Kernel } from './kernel.ts';
import { loops } from './nest.ts';

/**
 * Writes zeros before the first row, between the rows, and after the last one, of each block:
 *
 *     0 0 0 0 0 0 │ 0
 *                 p p p p │ 0 0
 *                           p p p p │ 0 0 0 0 0 0
 */
export function border(image: Blocked): Kernel {
  return {
    about: `border of ${image.name}`,
    reads: [],
    writes: [image],
    emit: ({ addressOf, define }) => {
      if (!image.hasBorder) return [];
      const { origin, rowBytes, planeBytes, height, width, blocks } = image;
      const row = width * vectorBytes;
      const gap = rowBytes - row;
      const after = planeBytes - origin - (height - 1) * rowBytes - row;
      const body = [
        ...zeros(origin),
        ...(height > 1 ? repeat('rows', height - 1, [advance('to', row), ...zeros(gap)]) : []),
        advance('to', row),
        ...zeros(after),
      ];
      return [
        call(
          define('border', {
            about: [`zeros around ${image.name}`],
            params: [],
            locals: localsOf('i32', 'to', 'blocks', 'rows', 'n'),
            body: [set('to', i32(addressOf(image))), ...repeat('blocks', blocks, body)],
          }),
        ),
      ];
    },
  };
}

/** Writes zeros and moves the pointer past them. */
function zeros(bytes: number): readonly Wat[] {
  const vectors = bytes / vectorBytes;
  if (vectors > 8) return repeat('n', vectors, [store(get('to'), zero), advance('to', vectorBytes)]);
  return [...range(vectors).map((i) => store(get('to'), zero, i * vectorBytes)), advance('to', bytes)];
}

/**
 * Converts a plain image to blocks:
 *
 *     for each block
 *       for each row, for each pixel           pixel = the same place in as many planes as there are channels
 */
export const toBlocked = (from: Buffer, to: Blocked): Kernel => ({
  about: `${to.name} by blocks of channels`,
  reads: [from],
  writes: [to],
  emit: (context) =>
    repack(from, to, context, (channels, plane) => [
      set('pixel', loadSplat(get('plain'))),
      ...range(channels - 1).map((i) => set('pixel', loadLane(i + 1, get('plain'), get('pixel'), (i + 1) * plane))),
      store(get('image'), get('pixel')),
    ]),
});

export const toPlain = (from: Blocked, to: Plain): Kernel => ({
  about: `${from.name} row by row`,
  reads: [from],
  writes: [to],
  emit: (context) =>
    repack(to, from, context, (channels, plane) => [
      set('pixel', load(get('image'))),
      ...range(channels).map((i) => storeLane(i, get('plain'), get('pixel'), i * plane)),
    ]),
});

/** @param move emits the code for one pixel, given the number of channels and the distance of their planes in bytes */
function repack(
  plain: Buffer,
  image: Blocked,
  { addressOf, define }: Emit,
  move: (channels: number, plane: number) => readonly Wat[],
): readonly Wat[] {
  const { channels, height, width } = image;
  const plane = 4 * height * width;
  const whole = Math.floor(channels / 4);
  const parts = [
    { blocks: whole, lanes: 4, first: 0 },
    { blocks: 1, lanes: channels % 4, first: whole },
  ].filter(({ blocks, lanes }) => blocks > 0 && lanes > 0);
  const body = parts.flatMap(({ blocks, lanes, first }) => {
    const nest = {
      counts: [blocks, height, width],
      pointers: [
        { local: 'plain', strides: [4 * plane, 4 * width, 4] },
        { local: 'image', strides: [image.planeBytes, image.rowBytes, vectorBytes] },
      ],
    };
    return [
      set('plain', i32(addressOf(plain) + 4 * plane * first)),
      set('image', i32(addressOf(image) + image.origin + first * image.planeBytes)),
      ...loops(nest, move(lanes, plane)),
    ];
  });
  const locals = { ...localsOf('i32', 'plain', 'image', 'i0', 'i1', 'i2'), ...localsOf('v128', 'pixel') };
  return [call(define('repack', { about: [image.name], params: [], locals, body }))];
}
