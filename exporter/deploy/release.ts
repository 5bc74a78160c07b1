/** Releases a checkpoint as a deployed version, unless something speaks against it. */
import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Backend } from '../../training/backend/index.ts';
import { unexpected, UserError } from '../../training/files/index.ts';
import { withScratch } from '../../training/process/index.ts';
import { buildModel, type ExportOptions } from '../model/export.ts';
import { requireIntactModels } from '../store/intact.ts';
import { replaceFolder } from '../store/replace-folder.ts';
import { cardOf, type Files, folderAfterRelease, nextVersion, readFolder } from '../store/versions.ts';
import { askPlatform, type Deployed, deployed, deployFolder, exclusively } from './deployment.ts';
import { describeScore, megabytes, objections, tooLarge } from './objections.ts';
import { deploy, deployGradually, measure, type OnPlatform, onPlatform } from './platform.ts';
import type { Screen } from './wrangler.ts';

export interface ReleaseOptions extends ExportOptions {
  /** Releases in spite of all objections. */
  readonly force: boolean;
  /** The share of the traffic, from 1 to 99. Without it, the new version gets all. */
  readonly percentage?: number | undefined;
}

/**
 * Exports a checkpoint and deploys it.
 *
 * @throws UserError for a checkpoint that cannot be exported, an objection, or a failed deployment; then it says what
 *   is deployed
 * @throws Interrupted by a signal while it deploys
 */
export function release(options: ReleaseOptions, backend: Backend, screen: Screen): Promise<Deployed> {
  const { models, name, percentage, force } = options;
  const { print, onStage } = screen;
  return exclusively(models, name, screen, async () => {
    const before = await readFolder(models, name);
    await requireIntactModels(models);
    const platform = await askPlatform(models, screen);
    const deployWith = percentage === undefined ? deploy : deployGradually(percentage, deployedIn(platform));
    requireUnshared(platform);
    const former = cardOf(before, join(models, name));
    const version = nextVersion(before, numbersOf(name, platform));
    const message = `${name} version ${version}`;

    const { card, files } = await buildModel(options, { ...former, version }, backend, print, onStage);
    print(`${message}: ${describeScore(card)}`);
    if (before.size > 0) objectTo(objections(former, card), force, print);

    const next = folderAfterRelease(before, files);
    onStage('build and measure the Worker');
    const size = await measureWith(models, name, next);
    print(`worker: ${megabytes(size)}`);
    objectTo(tooLarge(size), force, print);

    onStage('ask the platform');
    requireSame(platform, await onPlatform(models));
    await deployFolder({ models, name, next, message }, deployWith, screen);
    print(`deployed ${message}${percentage === undefined ? '' : ` to ${percentage} % of the traffic`}`);
    return deployed(name, before, next, percentage);
  });
}

/**
 * Returns the id of the deployed version.
 *
 * @throws UserError if nothing is deployed
 */
function deployedIn({ live: [only] }: OnPlatform): string {
  if (only) return only.id;
  throw unexpected('--percent', 'a deployed version, which has the rest of the traffic', 'none');
}

/**
 * Refuses a release while two versions share the traffic: the folder keeps one version beside the new one, so that the
 * older of the two, which has proven itself, would be lost.
 *
 * @throws UserError if traffic is shared
 */
function requireUnshared({ live }: OnPlatform): void {
  if (live.length <= 1) return;
  const ends = 'npx wrangler versions deploy <id>@100% -y ends a gradual release, bn-edge rollback takes it back';
  throw unexpected('release', `one deployed version (${ends})`, live.length);
}

/**
 * Checks that nothing has been deployed during the build: a release from another machine sees no lock.
 *
 * @throws UserError if other versions answer requests now, or were uploaded
 */
function requireSame(before: OnPlatform, now: OnPlatform): void {
  const stateOf = ({ live, uploaded }: OnPlatform) =>
    JSON.stringify([
      live.map(({ id, percentage }) => [id, percentage]),
      uploaded.map(({ message, tag }) => [message, tag]),
    ]);
  if (stateOf(before) === stateOf(now)) return;
  const [newest] = now.live;
  throw unexpected(
    'release',
    'what is deployed to be as before the build; this command has deployed nothing, and the next release starts from what is deployed now',
    newest?.message ?? newest?.id ?? 'nothing',
  );
}

/** Returns the numbers under which versions of a model were uploaded, from their messages. */
const numbersOf = (name: string, { uploaded }: OnPlatform): readonly string[] =>
  uploaded.flatMap(({ message = '' }) => {
    const [, model, version] = /^(\S+) version (\d+)/.exec(message) ?? [];
    return model === name && version !== undefined ? [version] : [];
  });

/** Returns the size of the Worker that would serve the models with this one changed. */
function measureWith(models: string, name: string, files: Files): Promise<number> {
  return withScratch('release', async (scratch) => {
    const isHidden = (path: string) => basename(path).startsWith('.');
    await cp(models, scratch, { recursive: true, filter: (path) => path === models || !isHidden(path) });
    await replaceFolder(scratch, name, files);
    return measure(scratch);
  });
}

function objectTo(found: readonly string[], force: boolean, print: Screen['print']): void {
  if (found.length === 0) return;
  if (!force) throw new UserError(`${found.join('; ')} (--force releases it all the same)`);
  for (const objection of found) print(`forced, although ${objection}`);
}
