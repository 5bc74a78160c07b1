/** What the card beside an ONNX file says of its rows, pictures and classes, for data that come as people have them. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Column } from '../../training/data/index.ts';
import type { PicturePreparation } from '../../training/pictures/index.ts';
import { cardFile, type ModelOutput, readCard } from './card.ts';

export interface KnownFile {
  readonly classes?: readonly string[];
  readonly columns?: readonly Column[];
  readonly picture?: PicturePreparation;
  readonly output?: ModelOutput;
}

/** Nothing for a file without a card. */
export async function knownOf(model: string): Promise<KnownFile> {
  const folder = dirname(model);
  if (basename(model) !== 'model.onnx' || !existsSync(join(folder, cardFile))) return {};
  const { labels, inputs = [], output } = await readCard(dirname(folder), basename(folder));
  const [{ columns, picture } = {}] = inputs;
  return {
    ...(labels && { classes: labels }),
    ...(columns && { columns }),
    ...(picture && { picture }),
    ...(output && { output }),
  };
}
