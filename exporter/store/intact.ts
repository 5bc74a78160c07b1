/** Checks that the files of a model are still those that its card was written for. */
import { join } from 'node:path';
import { unexpected } from '../../training/files/index.ts';
import { describeFile } from './card.ts';
import { modelNamesIfAny } from './models-folder.ts';
import { cardOf, type Files, readFolder, versionsIn } from './versions.ts';

/**
 * Checks every model in a folder, in all its versions.
 *
 * @throws UserError for a card that is not valid, and as `requireIntact`
 */
export async function requireIntactModels(models: string): Promise<void> {
  for (const name of modelNamesIfAny(models)) {
    for (const [folder, files] of versionsIn(join(models, name), await readFolder(models, name))) {
      requireIntact(folder, files);
    }
  }
}

/**
 * Checks the files of one version.
 *
 * @param files of the version; a card need not list any
 * @throws UserError for a file that is missing, or not the one that was verified when it was exported
 */
export function requireIntact(folder: string, files: Files): void {
  for (const [name, { sha256 }] of Object.entries(cardOf(files, folder).files ?? {})) {
    const [path, content] = [join(folder, name), files.get(name)];
    if (!content) throw unexpected(path, 'the file that the card describes', 'none');
    const found = describeFile(content).sha256;
    if (found !== sha256) throw unexpected(path, `sha256 ${sha256}, as the card says`, found);
  }
}
