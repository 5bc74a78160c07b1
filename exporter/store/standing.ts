/** What lies in the place that a model is about to take. Nothing of it is lost unless somebody says so. */
import { join } from 'node:path';
import { unexpected } from '../../training/files/index.ts';
import { cardFile, type ModelCard } from './card.ts';
import { cardOf, type Files, keptOf, othersOf, readFolder } from './versions.ts';

export interface Standing {
  /** The empty card where there is no model. */
  readonly card: ModelCard;
  /** All that lies there. */
  readonly all: Files;
  /** What stays beside the new one: the version before, and what somebody has put there. */
  readonly staying: Files;
}

export interface Place {
  readonly models: string;
  readonly name: string;
  /** Whether any model there may be replaced. */
  readonly overwrite?: boolean | undefined;
}

/** The place of an export, which may be that of a former one. @throws UserError where a model from elsewhere has it */
export const placeOfExport = (place: Place): Promise<Standing> =>
  // A network is in every card that an export writes, and in no other.
  standingAt(place, ({ network }) => network !== undefined, 'no model from elsewhere');

/** The place of a model from elsewhere. @throws UserError where any other has it */
export const placeOfAddition = (place: Place): Promise<Standing> =>
  standingAt(place, () => false, 'no model of that name');

async function standingAt(
  { models, name, overwrite = false }: Place,
  mayReplace: (card: ModelCard) => boolean,
  expected: string,
): Promise<Standing> {
  const folder = join(models, name);
  const files = await readFolder(models, name);
  const isTaken = [...files.keys()].some((path) => path === cardFile || /^[^/.][^/]*\.onnx$/i.test(path));
  const card = cardOf(files, folder);
  if (isTaken && !overwrite && !mayReplace(card)) {
    throw unexpected(folder, `${expected} (--name chooses another, --overwrite replaces it)`, 'one');
  }
  return { card, all: files, staying: new Map([...keptOf(files), ...othersOf(files)]) };
}
