/** Reads what the card beside an ONNX file says of its rows, pictures and classes, to prepare raw data for it. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Interval, Thresholds } from '../../training/answers/index.ts';
import type { Column } from '../../training/data/index.ts';
import { oneLine, UserError } from '../../training/files/index.ts';
import type { PicturePreparation } from '../../training/pictures/index.ts';
import type { Ports } from '../served/ports.ts';
import { modelFileIn } from './models-folder.ts';
import { cardFile, emptyCard, type ModelOutput, readCard } from './card.ts';
import { pictureOf } from './picture.ts';

export interface KnownFile {
  /** `label` is the column of a table that is predicted. */
  readonly label?: string;
  readonly classes?: readonly string[];
  readonly columns?: readonly Column[];
  readonly picture?: PicturePreparation;
  readonly output?: ScoredOutput;
  readonly threshold?: Thresholds;
  readonly level?: number;
  readonly intervals?: readonly Interval[];
}

type ScoredOutput = ModelOutput & { readonly kind: Exclude<ModelOutput['kind'], 'class'> };

const isScored = (output: ModelOutput): output is ScoredOutput => output.kind !== 'class';

/**
 * Reads the card beside `model`. Without a card, it returns only what the file itself states.
 *
 * @throws UserError if the file contradicts what the card says of pictures, or if the output is a class without scores
 */
export async function knownOf(model: string, { inputs: ports }: Pick<Ports, 'inputs'>): Promise<KnownFile> {
  const folder = dirname(model);
  const hasCard = basename(model) === modelFileIn(folder) && existsSync(join(folder, cardFile));
  const card = hasCard ? await readCard(dirname(folder), basename(folder)) : emptyCard;
  const { labels, inputs = [], output, threshold, interval, intervals, training } = card;
  if (output && !isScored(output)) {
    throw new UserError(
      `${join(folder, cardFile)}: output.kind: expected scores, which are what can be judged, got "class": a class without any`,
    );
  }
  const [{ columns, picture: stated } = {}] = inputs;
  const [port] = ports;
  const { picture, objections = [] } = port ? pictureOf(stated, port) : {};
  const [objection] = objections;
  if (objection !== undefined) throw new UserError(oneLine(`${join(folder, cardFile)}: inputs[0].picture${objection}`));
  return {
    ...(labels && { classes: labels }),
    ...(training?.data.label !== undefined && { label: training.data.label }),
    ...(columns && { columns }),
    ...(picture && { picture }),
    ...(output && { output }),
    ...(threshold && { threshold: threshold.at }),
    ...(interval !== undefined && { level: interval }),
    ...(intervals && { intervals }),
  };
}
