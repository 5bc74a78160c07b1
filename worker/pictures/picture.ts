/** A picture as it comes in, and as the model takes it. */
import {
  decodeRows,
  giveBack,
  PictureError,
  type PicturePreparation,
  prepareRows,
} from '../../training/pictures/index.ts';
import { RequestError, type Refusal } from '../http/errors.ts';

const refusals: Readonly<Record<PictureError['reason'], Refusal>> = {
  damaged: 'malformed',
  'too large': 'too large',
  'another format': 'unsupported media type',
};

/**
 * Takes the file's memory with it: bodies of 8 MiB would else wait for V8 to collect them.
 * @returns bytes of the preparation's `pictureShape`
 * @throws RequestError where the bytes are no picture, a damaged one, or one too large
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
