/**
 * `samples.npz` in a model's folder holds some real inputs as the array `x`, with which the build tests the edge image.
 * Export writes it; a user may write it as well.
 */
import { parseNpz } from '../../training/data/index.ts';
import { unexpected } from '../../training/files/index.ts';

export const samplesFile = 'samples.npz';

/** `[n, …]`: n samples for a model's only input. */
export interface SampleArray {
  /** `where` names the array in messages. */
  readonly where: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}

/**
 * Reads the samples.
 *
 * @param content undefined if there is no such file
 * @throws UserError for a file without such an array
 */
export function readSamples(file: string, content: Uint8Array | undefined): SampleArray | undefined {
  if (!content) return undefined;
  const [{ where, shape, data }] = parseNpz(content, file, ['x']);
  if (data instanceof Float32Array || data instanceof Uint8Array) return { where, shape, data };
  throw unexpected(where, 'float32 or uint8', data.constructor.name.replace('Array', '').toLowerCase());
}
