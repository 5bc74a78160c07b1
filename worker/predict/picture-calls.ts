/**
 * Creates the functions of a model for pictures. They have a file of their own, because the decoders are larger than
 * everything else.
 */
import { at, elementCount } from '../../training/arrays/index.ts';
import { decodeRows } from '../../training/pictures/decode.ts';
import { numbersOf, pictureShape } from '../../training/pictures/numbers.ts';
import { PictureError, rowsOf, type PictureRows } from '../../training/pictures/picture.ts';
import { prepareRows } from '../../training/pictures/prepare.ts';
import type { PictureSample } from '../predictor.ts';
import { type Calls, callsOf, PredictError, type Source } from './calls.ts';

export const pictureCalls = (source: Source, path: string): Calls<PictureSample> =>
  callsOf(source, path, ({ picture }, { inputs: [input] }) => {
    if (!picture || !input) throw new Error(`internal: expected how ${path} takes pictures`);
    const { datatype, shape: declared } = input;
    const pictureSizes = pictureShape(picture);
    const size = elementCount(pictureSizes);
    const sizes = { 2: [size], 3: [picture.size.rows, picture.size.columns] }[declared.length] ?? pictureSizes;
    return (samples, places) => {
      const length = samples.length * size;
      const data = datatype === 'UINT8' ? new Uint8Array(length) : new Float32Array(length);
      for (const [i, sample] of samples.entries()) {
        const pixels = prepared(sample, at(places, i), (rows) => prepareRows(rows, picture));
        data.set(numbersOf(pixels, picture), i * size);
      }
      return { tensor: { datatype, shape: [samples.length, ...sizes], data } };
    };
  });

/** @throws PredictError when the sample is not a picture, damaged, or a picture that is too large */
function prepared(sample: unknown, where: string, prepare: (rows: PictureRows) => Uint8Array): Uint8Array {
  try {
    return prepare(pictureIn(sample));
  } catch (error) {
    throw error instanceof PictureError ? new PredictError(`${where}: ${error.message}`, { cause: error }) : error;
  }
}

function pictureIn(sample: unknown): PictureRows {
  if (sample instanceof Uint8Array) return decodeRows(sample);
  if (sample instanceof ArrayBuffer) return decodeRows(new Uint8Array(sample));
  const {
    data,
    width = NaN,
    height = NaN,
  } = (sample ?? {}) as Partial<Exclude<PictureSample, Uint8Array | ArrayBuffer>>;
  const isOfBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  const isSized = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!isOfBytes || !isSized || data.length !== 4 * width * height) {
    throw new PictureError('damaged', 'picture: expected the bytes of a PNG or JPEG file, or an ImageData');
  }
  return rowsOf({ width, height, channels: 4, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
}
