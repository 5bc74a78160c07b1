/** sharp reads the pictures that a Worker writes, pixel by pixel. */
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { toPngUrl } from '../../../worker/pictures/png.ts';

it.each([
  [1, 1, 1],
  [5, 3, 1],
  [3, 7, 3],
  [2, 2, 4],
  // More bytes than a function call takes as arguments, which do not compress.
  [200, 150, 3],
] as const)('%i × %i pixels of %i channels are what they were', async (width, height, channels) => {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 2654435761) >>> 13);
  const url = await toPngUrl(width, height, channels, data);
  expect(url).toMatch(/^data:image\/png;base64,/);
  const image = sharp(Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));
  expect(await image.metadata()).toMatchObject({ format: 'png', width, height, channels, depth: 'uchar' });
  // sharp would return grey as three channels.
  const read = await (channels === 1 ? image.toColourspace('b-w') : image).raw().toBuffer();
  expect(Buffer.compare(read, Buffer.from(data))).toBe(0);
});
