/** A program without types may pass anything as a picture: other values are refused, and never read as bytes. */
import { expect, it } from 'vitest';
import { plainPreparation } from '../../../training/pictures/index.ts';
import { pictureCalls } from '../../../worker/predict/picture-calls.ts';
import type { PictureSample } from '../../../worker/predictor.ts';
import { imageOf } from '../../worker/images.ts';

const picture = plainPreparation({ rows: 2, columns: 2 }, 1);
const calls = pictureCalls(imageOf({ name: 'shades', shape: ['N', 1, 2, 2], kind: 'number', picture }), 'shades');
const grey = Uint8ClampedArray.from({ length: 16 }, (_, i) => (i % 4 === 3 ? 255 : 100));
const sizes = { width: 2, height: 2 };

it.each<[string, unknown]>([
  ['floats, as a canvas of float16 has them', { data: Float32Array.from(grey), ...sizes }],
  ['numbers of 16 bits', { data: Uint16Array.from(grey), ...sizes }],
  ['a list', { data: Array.from(grey), ...sizes }],
  ['a length alone', { data: { length: 16 }, ...sizes }],
  ['sizes that are no whole numbers', { data: grey.slice(0, 12), width: 1.5, height: 2 }],
  ['sizes of other pixels', { data: grey, width: 2, height: 3 }],
  ['a width of zero', { data: new Uint8Array(), width: 0, height: 2 }],
  ['a height of zero', { data: new Uint8Array(), width: 2, height: 0 }],
  ['nothing', undefined],
])('%s', async (_, sample) => {
  await expect(calls.predict(sample as PictureSample)).rejects.toMatchObject({
    name: 'PredictError',
    message: 'sample: picture: expected the bytes of a PNG or JPEG file, or an ImageData',
  });
});
