/** Exchanges a model's current version and the version before, in its folder. */
import { join } from 'node:path';
import { unexpected } from '../../training/files/index.ts';
import { withLockOrRefuse } from '../../training/process/index.ts';
import { replaceFolder } from './replace-folder.ts';
import { cardOf, type Files, folderAfterRelease, formerVersion, pick, readFolder, versionOf } from './versions.ts';

/** The lock that a process holds while it changes the versions of models. */
export const versionsLock = '.release.lock';

/**
 * Returns the folder after a rollback, which exchanges the current version and the one before.
 *
 * @throws UserError if there is no model, or no earlier version is kept
 */
export function folderAfterRollback(where: string, files: Files): Files {
  if (files.size === 0) throw unexpected(where, 'a model', 'none; bn-edge status lists the models');
  const version = formerVersion(files);
  if (version === undefined) throw unexpected(where, 'an earlier version to go back to', 'none');
  const prefix = `versions/${version}/`;
  const former = pick(files, (path) => (path.startsWith(prefix) ? path.slice(prefix.length) : undefined));
  for (const [folder, each] of [
    [where, files],
    [join(where, prefix), former],
  ] as const)
    cardOf(each, folder);
  return folderAfterRelease(files, former);
}

/** @throws UserError if no earlier version is kept, or a release is under way */
export function swapVersions(
  models: string,
  name: string,
): Promise<{ readonly version: string; readonly previous: string }> {
  return withLockOrRefuse(join(models, versionsLock), models, 'no release in it', async () => {
    const before = await readFolder(models, name);
    const next = folderAfterRollback(join(models, name), before);
    await replaceFolder(models, name, next);
    return { version: versionOf(next), previous: versionOf(before) };
  });
}
