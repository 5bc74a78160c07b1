/**
 * Reads what is in the folder that a model is about to be written to. None of it is lost unless the user asks for that.
 */
import { join } from 'node:path';
import { unexpected } from '../../training/files/index.ts';
import { cardFile, type ModelCard } from './card.ts';
import { cardOf, type Files, keptOf, othersOf, readFolder } from './versions.ts';

export interface FolderContents {
  /** `card` is the empty card if there is no model. */
  readonly card: ModelCard;
  /** `all` holds all files in the folder. */
  readonly all: Files;
  /** `staying` holds the files that stay beside the new ones: the version before, and the user's own files. */
  readonly staying: Files;
}

export interface Destination {
  readonly models: string;
  readonly name: string;
  /** Allows any model there to be replaced. */
  readonly overwrite?: boolean | undefined;
}

/**
 * Reads the folder for an export, which may replace an earlier one.
 *
 * @throws UserError if a model from elsewhere is there
 */
export const contentsBeforeExport = (place: Destination): Promise<FolderContents> =>
  // Every card that an export writes has a network, and no other card has.
  contentsAt(place, ({ network }) => network !== undefined, 'no model from elsewhere');

/**
 * Reads the folder for a model from elsewhere.
 *
 * @throws UserError if any other model is there
 */
export const contentsBeforeAddition = (place: Destination): Promise<FolderContents> =>
  contentsAt(place, () => false, 'no model of that name');

async function contentsAt(
  { models, name, overwrite = false }: Destination,
  mayReplace: (card: ModelCard) => boolean,
  expected: string,
): Promise<FolderContents> {
  const folder = join(models, name);
  const files = await readFolder(models, name);
  const isTaken = [...files.keys()].some((path) => path === cardFile || /^[^/.][^/]*\.onnx$/i.test(path));
  const card = cardOf(files, folder);
  if (isTaken && !overwrite && !mayReplace(card)) {
    throw unexpected(folder, `${expected} (--name chooses another, --overwrite replaces it)`, 'one');
  }
  return { card, all: files, staying: new Map([...keptOf(files), ...othersOf(files)]) };
}
