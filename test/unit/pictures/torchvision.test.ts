/**
 * Pictures prepared as a card says agree with torchvision's own transforms of the same files
 * (fixtures/torchvision/make.py).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Port } from '../../../exporter/served/ports.ts';
import { pictureOf } from '../../../exporter/store/picture.ts';
import type { StatedPicture } from '../../../exporter/store/stated-picture.ts';
import { readNpz } from '../../../training/data/index.ts';
import { decodeRows, numbersOf, prepareRows } from '../../../training/pictures/index.ts';
import { expectAllClose } from '../../reference/close.ts';

const folder = join(import.meta.dirname, '../../fixtures/torchvision');

const IMAGENET = { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

function prepared(file: string, stated: StatedPicture, dims: Port['dims']): readonly number[] {
  const { picture, objections } = pictureOf(stated, { name: 'x', datatype: 'FP32', dims });
  expect(objections).toEqual([]);
  if (!picture) throw new Error('no picture');
  return [...numbersOf(prepareRows(decodeRows(readFileSync(join(folder, file))), picture), picture)];
}

/** Converts `[C, H, W]` to `[H, W, C]`. */
function behind(values: readonly number[], channels: number): readonly number[] {
  const area = values.length / channels;
  return values.map((_, i) => values[(i % channels) * area + Math.floor(i / channels)] ?? NaN);
}

const photos = ['photo.png', 'photo.jpg'] as const;
const cases = photos.flatMap((file) =>
  (
    [
      ['whole', { channels: 'RGB', ...IMAGENET }, [37, 53], 1e-6],
      ['imagenet', { preset: 'imagenet' }, [32, 32], 1e-6],
      ['up', { fit: 'cover', resize: 64, ...IMAGENET }, [21, 30], 1e-6],
      ['down', { preset: 'imagenet', resize: 16 }, [13, 16], 1e-6],
      ['stretch', { preset: '[-1,1]' }, [20, 24], 1e-6],
    ] as const
  ).map(([name, stated, size, tolerance]) => ({ file, name, stated, size, tolerance })),
);

describe('a picture for a model of torchvision', () => {
  it.each(cases)('has its numbers: $file, $name', async ({ file, name, stated, size, tolerance }) => {
    const [{ data }] = await readNpz(join(folder, 'answers.npz'), [`${file}.${name}`]);
    const expected = Array.from(data, Number);
    expectAllClose('pixels', prepared(file, stated, ['N', 3, ...size]), expected, { atol: tolerance });
    expectAllClose('pixels', prepared(file, stated, ['N', ...size, 3]), behind(expected, 3), { atol: tolerance });
    const flat = { ...stated, layout: 'NHWC', size: { rows: size[0], columns: size[1] } } as const;
    expectAllClose('pixels', prepared(file, flat, ['N', size[0] * size[1] * 3]), behind(expected, 3), {
      atol: tolerance,
    });
    const free = { ...stated, size: { rows: size[0], columns: size[1] } };
    expectAllClose('pixels', prepared(file, free, ['N', 3, 'H', 'W']), expected, { atol: tolerance });
  });

  it.each(photos)('has its grey: %s', async (file) => {
    const [{ data }] = await readNpz(join(folder, 'answers.npz'), [`${file}.grey`]);
    for (const dims of [
      ['N', 1, 20, 24],
      ['N', 20, 24],
      ['N', 20, 24, 1],
      ['N', 480],
    ] as const) {
      const size = dims.length === 2 ? { size: { rows: 20, columns: 24 } } : {};
      expectAllClose('pixels', prepared(file, { preset: '[0,1]', ...size }, dims), Array.from(data, Number), {
        atol: 1e-6,
      });
    }
  });

  it.each([
    ['whole', { channels: 'RGBA', preset: '[0,1]' }, [37, 53], 1e-6],
    ['down', { channels: 'RGBA', preset: '[0,1]', fit: 'cover', resize: 16 }, [13, 16], 1e-6],
  ] as const)('keeps its alpha: %s', async (name, stated, size, tolerance) => {
    const [{ data }] = await readNpz(join(folder, 'answers.npz'), [`clear.png.${name}`]);
    expectAllClose('pixels', prepared('clear.png', stated, ['N', 4, ...size]), Array.from(data, Number), {
      atol: tolerance,
    });
  });

  it('has the numbers of blue first where the card says BGR', async () => {
    const [{ data }] = await readNpz(join(folder, 'answers.npz'), ['photo.png.imagenet']);
    const area = 32 * 32;
    const [red, green, blue] = [0, 1, 2].map((channel) =>
      Array.from(data, Number).slice(channel * area, (channel + 1) * area),
    );
    const expected = [...(blue ?? []), ...(green ?? []), ...(red ?? [])];
    expectAllClose(
      'pixels',
      prepared('photo.png', { preset: 'imagenet', channels: 'BGR' }, ['N', 3, 32, 32]),
      expected,
      { atol: 1e-6 },
    );
  });
});
