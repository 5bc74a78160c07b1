/** Rounds the weights of models as their cards ask, and measures what that costs each of them. */

import { join } from 'node:path';
import { unexpected } from '../../training/files/index.ts';
import { BackendUnavailable } from '../../training/backend/index.ts';
import { lossOf } from '../served/loss.ts';
import { withRoundedWeights } from '../served/round-weights.ts';
import type { Weight } from '../served/round-weights.ts';
import { cardFile } from '../store/card.ts';
import type { ModelFolder } from '../store/registry.ts';

/** A model as it is put into an image. */
export interface RoundedFolder extends ModelFolder {
  /** `stored` lists the weights that are stored beside the module, of all of the model's files. */
  readonly stored: readonly Weight[];
}

/** Is true if the model's weights are stored beside the module. */
export const isApart = ({ weights, weightsIn }: ModelFolder): boolean =>
  weights !== 'float32' || weightsIn === 'assets';

/**
 * @param folder the one that the models were read from
 * @throws UserError if no answer is left after rounding, or if ONNX Runtime has no native binary here to round with
 */
export async function roundedByCard(folder: string, model: ModelFolder): Promise<RoundedFolder> {
  const { file, weights: type, files, about, ports, samples } = model;
  if (!isApart(model)) return { ...model, stored: [] };
  const place = join(folder, about.path);
  try {
    const own = await withRoundedWeights(files.model, type);
    const twin = files.switchable && (await withRoundedWeights(files.switchable, type));
    const watched = files.watched && (await withRoundedWeights(files.watched, type));
    const [original, rounded] = [files.model, own.bytes];
    const loss = await lossOf({ file, original, rounded, ...ports, samples, output: about.output });
    return {
      ...model,
      about: { ...about, weights: { type, ...loss } },
      files: {
        model: own.bytes,
        ...(twin && { switchable: twin.bytes }),
        ...(watched && { watched: watched.bytes }),
      },
      stored: [own, twin, watched].flatMap((one) => one?.weights ?? []),
    };
  } catch (error) {
    if (!(error instanceof BackendUnavailable)) throw error;
    const where = `${join(place, cardFile)}: weights`;
    throw unexpected(
      where,
      '"float32" in the script where ONNX Runtime has no native binary to round with',
      JSON.stringify(type),
    );
  }
}
