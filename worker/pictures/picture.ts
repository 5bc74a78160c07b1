/** Turns a picture file into the pixels that a model takes. */
import {
  decodeRows,
  giveBack,
  PictureError,
  type PicturePreparation,
  prepareRows,
} from '../../training/pictures/index.ts';
import { RequestError, type Refusal } from '../errors.ts';

const refusals: Readonly<Record<PictureError['reason'], Refusal>> = {
  damaged: 'malformed',
  'too large': 'too large',
  'another format': 'unsupported media type',
};

/**
 * Decodes and prepares a picture, and gives the file's memory back: bodies of 8 MiB would otherwise wait for V8 to
 * collect them.
 * @returns bytes of the preparation's `pictureShape`
 * @throws RequestError when the bytes are not a picture, damaged, or a picture that is too large
 */
export function pixelsOf(bytes: Uint8Array, preparation: PicturePreparation): Uint8Array {
  try {
    return prepareRows(decodeRows(bytes), preparation);
  } catch (error) {
    throw error instanceof PictureError ? new RequestError(refusals[error.reason], error.message) : error;
  } finally {
    giveBack(bytes);
  }
}
