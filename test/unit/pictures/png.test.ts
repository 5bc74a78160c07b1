/** PNG files of every kind give the same pixels in the Worker's decoder as in libvips. */
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodePicture, type Picture } from '../../../training/pictures/index.ts';

const [width, height] = [37, 23];
/** Soft and hard edges, so that encoders use all filters. */
const pixels = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
  const [channel, x, y] = [i % 4, (i >> 2) % width, Math.floor(i / 4 / width)];
  if (channel === 3) return (x * 7 + y) % 256;
  return x > 20 ? (channel * 90 + x * y) % 256 : (x * 5 + y * 3 + channel * 40) % 256;
});

const drawing = sharp(pixels, { raw: { width, height, channels: 4 } });
const opaque = drawing.clone().removeAlpha();
const grey = opaque.clone().greyscale();
const kinds: Readonly<Record<string, Sharp>> = {
  colour: opaque.clone().png({ adaptiveFiltering: true }),
  'colour and alpha': drawing.clone().png({ adaptiveFiltering: true }),
  'without filters': drawing.clone().png({ adaptiveFiltering: false, compressionLevel: 0 }),
  grey: grey.clone().toColourspace('b-w').png({ adaptiveFiltering: true }),
  '16-bit colour': opaque.clone().toColourspace('rgb16').png({ adaptiveFiltering: true }),
  '16-bit colour and alpha': drawing.clone().toColourspace('rgb16').png(),
  '16-bit grey': grey.clone().toColourspace('grey16').png(),
  'a palette of 200': opaque.clone().png({ palette: true, colours: 200 }),
  'a palette of 12, with alpha': drawing.clone().png({ palette: true, colours: 12 }),
  'a palette of 4': opaque.clone().png({ palette: true, colours: 4 }),
  'a palette of 2': opaque.clone().png({ palette: true, colours: 2 }),
};

/** Returns red, green, blue and alpha of each pixel. */
function rgbaOf({ channels, data }: Picture): Buffer {
  return Buffer.from(
    Array.from({ length: data.length / channels }, (_, i) => {
      const [first = 0, second = 0, third = 0, fourth = 255] = data.subarray(i * channels, (i + 1) * channels);
      if (channels > 2) return [first, second, third, fourth];
      return [first, first, first, channels === 2 ? second : 255];
    }).flat(),
  );
}

describe.each([false, true])('a PNG, interlaced: %s', (progressive) => {
  it.each(Object.entries(kinds))('with %s has the pixels that libvips reads', async (_, kind) => {
    const file = await kind.clone().png({ progressive }).toBuffer();
    const expected = await sharp(file).toColourspace('srgb').ensureAlpha().raw({ depth: 'uchar' }).toBuffer();
    expect(rgbaOf(decodePicture(file)).equals(expected)).toBe(true);
  });
});
