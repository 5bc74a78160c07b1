/** Deploys the version of a model that its folder keeps beside the current one. */
import { join } from 'node:path';
import { requireIntactModels } from '../store/intact.ts';
import { folderAfterRollback } from '../store/rollback.ts';
import { readFolder, versionOf } from '../store/versions.ts';
import { askPlatform, type Deployed, deployed, deployFolder, exclusively } from './deployment.ts';
import { deploy } from './platform.ts';
import type { Screen } from './wrangler.ts';

/**
 * Deploys the version before.
 *
 * @throws UserError if no earlier version is kept, files do not match their cards, or the deployment failed; then it
 *   says what is deployed
 * @throws Interrupted by a signal while it deploys
 */
export function rollback(models: string, name: string, screen: Screen): Promise<Deployed> {
  return exclusively(models, name, screen, async () => {
    const before = await readFolder(models, name);
    const next = folderAfterRollback(join(models, name), before);
    await requireIntactModels(models);
    await askPlatform(models, screen);
    const message = `${name} version ${versionOf(next)}, back from ${versionOf(before)}`;
    await deployFolder({ models, name, next, message }, deploy, screen);
    screen.print(`deployed ${message}`);
    return deployed(name, before, next);
  });
}
