/** Prepared pictures agree with Pillow's, and with the formula in float64. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNpz } from '../../../training/data/index.ts';
import {
  type Picture,
  type PicturePreparation,
  plainPreparation,
  preparePicture,
} from '../../../training/pictures/index.ts';
import { resampled } from '../../reference/resample.ts';

const sizes = { down: [16, 16], up: [61, 40], wide: [50, 9], tall: [7, 45], one: [1, 1], same: [37, 23] } as const;
const answers = join(import.meta.dirname, '../../fixtures/pillow/answers.npz');

async function read(name: string): Promise<Picture> {
  const [{ shape, data }] = await readNpz(answers, [name]);
  const [height = 0, width = 0, channels = 1] = shape;
  return { width, height, channels: channels === 3 ? 3 : 1, data: data as Uint8Array };
}

/** Converts `[channels, rows, columns]` to interleaved pixels. */
function interleaved(planes: Uint8Array, channels: number): Uint8Array {
  const area = planes.length / channels;
  return planes.map((_, i) => planes[(i % channels) * area + Math.floor(i / channels)] ?? 0);
}

function prepared(picture: Picture, columns: number, rows: number, more: Partial<PicturePreparation> = {}): Uint8Array {
  const channels = picture.channels < 3 ? 1 : 3;
  return preparePicture(picture, { ...plainPreparation({ rows, columns }, channels), ...more });
}

describe('a picture for a model', () => {
  const cases = (['photo', 'noise'] as const).flatMap((name) =>
    (['stretch', 'cover'] as const).flatMap((fit) =>
      Object.entries(sizes).map(([size, [columns, rows]]) => ({ name, fit, size, columns, rows })),
    ),
  );
  it.each(cases)(
    'has the bytes that Pillow gives it: $name, $fit, $size',
    async ({ name, fit, size, columns, rows }) => {
      const [picture, expected] = [await read(name), await read(`${name}.${size}.${fit}`)];
      const got = interleaved(prepared(picture, columns, rows, { fit }), picture.channels);
      const differences = got.map((byte, i) => Math.abs(byte - (expected.data[i] ?? NaN)));
      // Pillow computes the crop in float32.
      expect(Math.max(...differences)).toBeLessThanOrEqual(fit === 'cover' && size === 'up' ? 1 : 0);
      expect(got).toHaveLength(expected.data.length);
    },
  );

  it('has the grey that Pillow gives it', async () => {
    const grey = prepared(await read('photo'), 37, 23, { channels: 1 });
    expect([...grey]).toEqual([...(await read('photo.grey')).data]);
  });

  const patterns: Record<string, (x: number, y: number) => number> = {
    noise: (x, y) => Math.imul(x * 31 + y * 17 + 7, 2654435761) >>> 24,
    edges: (x, y) => (((x >> 2) + (y >> 3)) % 2 === 0 ? 255 : 0),
    smooth: (x, y) => 127.5 + 127.5 * Math.sin(x / 9) * Math.cos(y / 7),
    white: () => 255,
  };
  const targets = [
    [8, 8],
    [5, 40],
    [90, 7],
    [100, 77],
    [1, 1],
    [53, 29],
    [54, 28],
  ] as const;
  it.each(Object.entries(patterns))('is within the rounding of the formula: %s', (_, pattern) => {
    const [width, height] = [53, 29];
    const data = Uint8Array.from({ length: width * height }, (_, i) => pattern(i % width, Math.floor(i / width)));
    for (const [columns, rows] of targets) {
      const exact = resampled({ width, height, data }, columns, rows);
      const got = prepared({ width, height, channels: 1, data }, columns, rows);
      // Each of two passes rounds once.
      got.forEach((byte, i) => {
        expect(Math.abs(byte - (exact[i] ?? NaN))).toBeLessThan(1.001);
      });
    }
  });

  const wide: Picture = { width: 4, height: 2, channels: 1, data: Uint8Array.of(10, 20, 30, 40, 10, 20, 30, 40) };
  const tall: Picture = { width: 1, height: 3, channels: 1, data: Uint8Array.of(10, 20, 30) };
  it.each<[string, Picture, number, number, Partial<PicturePreparation>, number[]]>([
    [
      'a wide one contained',
      wide,
      4,
      4,
      { fit: 'contain', background: '#070707' },
      [7, 7, 7, 7, ...wide.data, 7, 7, 7, 7],
    ],
    ['a tall one contained', tall, 3, 3, { fit: 'contain', background: '#000000' }, [0, 10, 0, 0, 20, 0, 0, 30, 0]],
    ['a line contained', { ...wide, height: 1, data: wide.data.subarray(4) }, 2, 1, { fit: 'contain' }, [17, 33]],
    ['a wide one covering', wide, 2, 2, { fit: 'cover' }, [20, 30, 20, 30]],
    ['a tall one covering', tall, 1, 1, { fit: 'cover' }, [20]],
    ['a wide one stretched', wide, 4, 1, { fit: 'stretch' }, [10, 20, 30, 40]],
  ])('fits its shape: %s', (_, picture, columns, rows, how, expected) => {
    expect([...prepared(picture, columns, rows, how)]).toEqual(expected);
  });

  it('contained, it is grey on a grey background and coloured on a coloured one', () => {
    const how = { fit: 'contain', background: '#ff8000' } as const;
    expect([...prepared(tall, 3, 1, { ...how, channels: 1 })]).toEqual([151, 20, 151]);
    expect([...prepared(tall, 3, 1, { ...how, channels: 3 })]).toEqual([255, 20, 255, 128, 20, 128, 0, 20, 0]);
  });

  const clear: Picture = { width: 2, height: 1, channels: 4, data: Uint8Array.of(200, 100, 0, 0, 200, 100, 0, 64) };
  const clearGrey: Picture = { width: 2, height: 1, channels: 2, data: Uint8Array.of(200, 0, 200, 64) };
  it.each<[string, Picture, 1 | 3, string, number[]]>([
    ['colour on white', clear, 3, '#ffffff', [255, 241, 255, 216, 255, 191]],
    ['colour on black', clear, 3, '#000000', [0, 50, 0, 25, 0, 0]],
    ['colour on blue', clear, 3, '#0000ff', [0, 50, 0, 25, 255, 191]],
    // 0.299 · 241 + 0.587 · 216 + 0.114 · 191
    ['colour on white, in grey', clear, 1, '#ffffff', [255, 221]],
    ['grey on white', clearGrey, 1, '#ffffff', [255, 241]],
    ['grey on blue, in colour', clearGrey, 3, '#0000ff', [0, 50, 0, 50, 255, 241]],
    ['grey on blue, in grey', clearGrey, 1, '#0000ff', [29, 72]],
  ])('shows the background where it is transparent: %s', (_, picture, channels, background, expected) => {
    expect([...prepared(picture, 2, 1, { channels, background })]).toEqual(expected);
  });

  it('is the same in as many bytes a pixel as it comes in', () => {
    const greys = Uint8Array.from({ length: 30 }, (_, i) => i * 8);
    const spread = (pixel: (grey: number) => number[]) => Uint8Array.from([...greys].flatMap(pixel));
    const looks: readonly Picture[] = [
      { width: 6, height: 5, channels: 1, data: greys },
      { width: 6, height: 5, channels: 2, data: spread((grey) => [grey, 255]) },
      { width: 6, height: 5, channels: 3, data: spread((grey) => [grey, grey, grey]) },
      { width: 6, height: 5, channels: 4, data: spread((grey) => [grey, grey, grey, 255]) },
    ];
    for (const channels of [1, 3] as const) {
      const [first, ...others] = looks.map((picture) => prepared(picture, 4, 7, { channels }));
      expect(first).toHaveLength(channels * 28);
      for (const other of others) expect(other).toEqual(first);
    }
  });
});
