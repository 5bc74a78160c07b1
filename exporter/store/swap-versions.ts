/** Exchanges a model's current version and the version before, in its folder. */
import { join } from 'node:path';
import { withLockOrRefuse } from '../../training/process/index.ts';
import { replaceFolder } from './replace-folder.ts';
import { folderAfterRollback, readFolder, versionOf } from './versions.ts';

/** The lock that a process holds while it changes the versions of models. */
export const versionsLock = '.release.lock';

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
