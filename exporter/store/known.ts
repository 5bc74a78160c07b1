/** What the card beside an ONNX file says of its rows, pictures and classes, for data that come as people have them. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Column } from '../../training/data/index.ts';
import type { PicturePreparation } from '../../training/pictures/index.ts';
import { UserError } from '../../training/files/index.ts';
import { cardFile, type ModelOutput, readCard } from './card.ts';

export interface KnownFile {
  readonly classes?: readonly string[];
  readonly columns?: readonly Column[];
  readonly picture?: PicturePreparation;
  readonly output?: ScoredOutput;
}

type ScoredOutput = ModelOutput & { readonly kind: Exclude<ModelOutput['kind'], 'class'> };

const isScored = (output: ModelOutput): output is ScoredOutput => output.kind !== 'class';

/**
 * Nothing for a file without a card.
 * @throws UserError where it gives classes without scores
 */
export async function knownOf(model: string): Promise<KnownFile> {
  const folder = dirname(model);
  if (basename(model) !== 'model.onnx' || !existsSync(join(folder, cardFile))) return {};
  const { labels, inputs = [], output } = await readCard(dirname(folder), basename(folder));
  if (output && !isScored(output)) {
    throw new UserError(
      `${join(folder, cardFile)}: output.kind: expected scores, which are what can be judged, got "class": a class without any`,
    );
  }
  const [{ columns, picture } = {}] = inputs;
  return {
    ...(labels && { classes: labels }),
    ...(columns && { columns }),
    ...(picture && { picture }),
    ...(output && { output }),
  };
}
