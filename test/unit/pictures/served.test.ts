/** Training reads the same bits from picture files as a Worker does. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readImageFolder } from '../../../training/data/index.ts';
import {
  decodeRows,
  type PicturePreparation,
  plainPreparation,
  prepareRows,
} from '../../../training/pictures/index.ts';

const [width, height] = [61, 43];
/** Smooth waves, hard edges and noise, in colour and with alpha, as in photographs. */
const pixels = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
  const [channel, x, y] = [i % 4, (i >> 2) % width, Math.floor(i / 4 / width)];
  if (channel === 3) return (x * 7 + y * 3) % 256;
  if (x > 45) return Math.imul(i + 3, 2654435761) >>> 24;
  if (y > 30) return (Math.floor(x / 4) + channel) % 2 === 0 ? 250 : 5;
  return 128 + 127 * Math.sin(x / (5 + channel)) * Math.cos(y / (4 + channel));
});

const photo = sharp(pixels, { raw: { width, height, channels: 4 } });
const opaque = photo.clone().removeAlpha();
const grey = opaque.clone().greyscale().toColourspace('b-w');
const kinds: Record<string, Sharp> = {
  'colour.png': opaque.clone().png(),
  'alpha.png': photo.clone().png(),
  'grey.png': grey.clone().png(),
  'grey-alpha.png': photo.clone().greyscale().toColourspace('b-w').png(),
  'deep.png': opaque.clone().toColourspace('rgb16').png(),
  'deep-alpha.png': photo.clone().toColourspace('rgb16').png(),
  'deep-grey.png': opaque.clone().greyscale().toColourspace('grey16').png(),
  'palette.png': photo.clone().png({ palette: true, colours: 40 }),
  'interlaced.png': photo.clone().png({ progressive: true }),
  'profile.png': opaque.clone().withIccProfile('p3').png(),
  'photo.jpg': opaque.clone().jpeg({ quality: 85 }),
  'fine.jpg': opaque.clone().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }),
  'progressive.jpg': opaque.clone().jpeg({ progressive: true, quality: 70 }),
  'grey.jpg': grey.clone().jpeg(),
  'profile.jpg': opaque.clone().withIccProfile('p3').jpeg(),
  'cmyk.jpg': opaque.clone().toColourspace('cmyk').jpeg(),
};
for (let orientation = 1; orientation <= 8; orientation++) {
  kinds[`turned-${orientation}.jpg`] = opaque.clone().withMetadata({ orientation }).jpeg();
  kinds[`turned-${orientation}.png`] = photo.clone().withMetadata({ orientation }).png();
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'served-'));
  await mkdir(join(folder, 'all'));
  for (const [name, image] of Object.entries(kinds)) await writeFile(join(folder, 'all', name), await image.toBuffer());
});
afterAll(() => rm(folder, { recursive: true }));

describe('a picture file', () => {
  const looks: NonNullable<Parameters<typeof readImageFolder>[1]>[] = (
    ['stretch', 'cover', 'contain'] as const
  ).flatMap((fit) => [
    { fit, size: { rows: 16, columns: 16 }, channels: 3, background: '#ffffff' },
    { fit, size: { rows: 90, columns: 70 }, channels: 1, background: '#20c080' },
  ]);
  const plain = plainPreparation({ rows: 16, columns: 12 }, 3);
  const stated: PicturePreparation[] = [
    { ...plain, fit: 'cover', resize: 20 },
    { ...plain, fit: 'cover', resize: 30, layout: 'NHWC', order: 'BGR' },
    { ...plain, channels: 4 },
    { ...plain, channels: 4, fit: 'contain', layout: 'NHWC' },
  ];
  it.each([...looks, { pictures: 'drawing' as const }, ...stated.map((picture) => ({ picture }))])(
    'trains as it is served: %o',
    async (look) => {
      const { parts, picture } = await readImageFolder(folder, look);
      const { inputs } = parts.train;
      const area = inputs.length / parts.train.count;
      for (const [place, name] of Object.keys(kinds).sort().entries()) {
        const served = prepareRows(decodeRows(await readFile(join(folder, 'all', name))), picture);
        const trained = inputs.subarray(place * area, (place + 1) * area);
        expect({ name, equal: Buffer.from(trained).equals(served) }).toEqual({ name, equal: true });
        expect(new Set(served).size).toBeGreaterThan(20);
      }
    },
  );
});
