/** Bitmaps of every number of bits are decoded as Windows stores them. */
import { expect, it } from 'vitest';
import { decodeBmp } from '../../../training/data/bmp.ts';

const RED = [0, 0, 255, 0];
const GREEN = [0, 255, 0, 0];
const BLUE = [255, 0, 0, 0];
const WHITE = [255, 255, 255, 0];

interface Parts {
  readonly width: number;
  /** Negative for rows from the top down. */
  readonly height: number;
  readonly bits: number;
  readonly palette?: readonly number[];
  readonly colours?: number;
  readonly compression?: number;
  readonly rows: readonly number[];
}

function file({ width, height, bits, palette = [], colours = 0, compression = 0, rows }: Parts): Uint8Array {
  const bytes = Buffer.alloc(54);
  bytes.write('BM');
  bytes.writeUInt32LE(54 + palette.length, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(bits, 28);
  bytes.writeUInt32LE(compression, 30);
  bytes.writeUInt32LE(colours, 46);
  return Buffer.concat([bytes, Buffer.from([...palette, ...rows])]);
}

const [r, g, b, w, k] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
  [0, 0, 0],
] as const;

it.each<[string, Parts, readonly (readonly number[])[]]>([
  [
    '1 bit, the first pixel in the highest',
    { width: 9, height: 1, bits: 1, palette: [...RED, ...GREEN], colours: 2, rows: [0b01101000, 0b10000000, 0, 0] },
    [r, g, g, r, g, r, r, r, g],
  ],
  [
    '4 bits, two pixels a byte',
    {
      width: 3,
      height: 1,
      bits: 4,
      palette: [...RED, ...GREEN, ...BLUE, ...WHITE],
      colours: 4,
      rows: [0x12, 0x30, 0, 0],
    },
    [g, b, w],
  ],
  [
    '8 bits, with a palette that lacks a colour',
    { width: 2, height: 1, bits: 8, palette: [...RED, ...GREEN], colours: 2, rows: [1, 200, 0, 0] },
    [g, k],
  ],
  [
    '24 bits, rows from the bottom up, each a multiple of 4 bytes',
    { width: 1, height: 2, bits: 24, rows: [0, 0, 255, 9, 0, 255, 0, 9] },
    [g, r],
  ],
  ['24 bits, rows from the top down', { width: 1, height: -2, bits: 24, rows: [0, 0, 255, 9, 0, 255, 0, 9] }, [r, g]],
  ['32 bits', { width: 2, height: 1, bits: 32, rows: [255, 0, 0, 7, 255, 255, 255, 7] }, [b, w]],
  [
    '32 bits with the usual masks',
    { width: 1, height: 1, bits: 32, compression: 3, palette: [...RED, ...GREEN, ...BLUE], rows: [0, 255, 0, 7] },
    [g],
  ],
  [
    '24 bits, a row of many pixels',
    {
      width: 65,
      height: 2,
      bits: 24,
      rows: [...Array<number[]>(65).fill([0, 0, 255]).flat(), 9, ...Array<number[]>(65).fill([0, 255, 0]).flat(), 9],
    },
    [...Array<typeof g>(65).fill(g), ...Array<typeof r>(65).fill(r)],
  ],
])('%s', (_, parts, pixels) => {
  const { width, height, channels, data } = decodeBmp(file(parts));
  expect([width, height, channels]).toEqual([parts.width, Math.abs(parts.height), 3]);
  expect([...data]).toEqual(pixels.flat());
});

it('a palette without a stated size has all colours of its bits', () => {
  const palette = Array.from({ length: 16 }, (_, i) => [i, 0, 0, 0]).flat();
  const { data } = decodeBmp(file({ width: 1, height: 1, bits: 4, palette, rows: [0xf0, 0, 0, 0] }));
  expect([...data]).toEqual([0, 0, 15]);
});

it.each<[string, Uint8Array, string]>([
  ['a header cut short', file({ width: 1, height: 1, bits: 24, rows: [] }).subarray(0, 53), 'the header is cut short'],
  ['no pixel', file({ width: 1, height: 1, bits: 24, rows: [] }), 'the pixels are cut short'],
  ['one byte too few', file({ width: 1, height: 1, bits: 24, rows: [1, 2, 3] }), 'the pixels are cut short'],
  ['no width', file({ width: 0, height: 1, bits: 24, rows: [0, 0, 0, 0] }), 'the pixels are cut short'],
  ['no height', file({ width: 1, height: 0, bits: 24, rows: [0, 0, 0, 0] }), 'the pixels are cut short'],
  ['16 bits', file({ width: 1, height: 1, bits: 16, rows: [0, 0, 0, 0] }), '16 bits a pixel'],
  ['run lengths', file({ width: 1, height: 1, bits: 8, compression: 1, rows: [0, 0, 0, 0] }), 'compression 1'],
  [
    'masks of another order',
    file({ width: 1, height: 1, bits: 32, compression: 3, palette: [...BLUE, ...GREEN, ...RED], rows: [0, 255, 0, 7] }),
    'colours in an order other than blue, green, red',
  ],
  [
    'masks that are missing',
    file({ width: 1, height: 1, bits: 32, compression: 3, rows: [0, 255, 0, 7] }),
    'colours in an order other than blue, green, red',
  ],
  [
    'pixels that begin at the header',
    Buffer.from(file({ width: 1, height: 1, bits: 24, rows: [0, 0, 0, 0] })).fill(0, 10, 14),
    'the pixels begin within the header',
  ],
  ['masks of 24 bits', file({ width: 1, height: 1, bits: 24, compression: 3, rows: [0, 0, 0, 0] }), 'compression 3'],
])('refuses %s', (_, bytes, message) => {
  expect(() => decodeBmp(bytes)).toThrow(message);
});
