/**
 * Releases a checkpoint as a deployed version, and rolls back. The folder of models says what is deployed: if a
 * deployment fails, the platform is asked which of the two versions that is.
 */
import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Backend } from '../../training/backend/index.ts';
import { atExit, makeFolder, unexpected, UserError } from '../../training/files/index.ts';
import { Interrupted, interruption, withLockOrRefuse, withScratch } from '../../training/process/index.ts';
import { buildModel, type ExportOptions } from '../model/export.ts';
import { requireIntactModels } from '../store/intact.ts';
import {
  keepReplacement,
  leftPending,
  notePending,
  type Pending,
  replaceForNow,
  undoReplacement,
} from '../store/pending.ts';
import { versionsLock } from '../store/swap-versions.ts';
import { recoverFolder, replaceFolder } from '../store/replace-folder.ts';
import {
  cardOf,
  type Files,
  nextVersion,
  readFolder,
  release as releaseInto,
  rollback as rollbackIn,
  versionOf,
} from '../store/versions.ts';
import { sha256Of, fingerprint } from './fingerprint.ts';
import { describeScore, megabytes, objections, tooLarge } from './objections.ts';
import { deploy, type Deploy, deployGradually, isLive, measure, type OnPlatform, onPlatform } from './platform.ts';
import { beside, describePlatform } from './status.ts';
import type { Screen } from './wrangler.ts';

export interface ReleaseOptions extends ExportOptions {
  /** Releases in spite of all objections. */
  readonly force: boolean;
  /** The share of the traffic, from 1 to 99. Without it, the new version gets all. */
  readonly percentage?: number | undefined;
}

/** A version of a model that has been deployed. */
export interface Deployed {
  readonly name: string;
  readonly version: string;
  /** The hash of `model.onnx`. */
  readonly sha256: string;
  /** The version that it replaced, which is kept. */
  readonly previous: { readonly version: string; readonly sha256: string } | null;
  /** The share of the traffic. */
  readonly percentage: number;
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
    const standing = await readFolder(models, name);
    await requireIntactModels(models);
    const platform = await askPlatform(models, screen);
    const deployWith = percentage === undefined ? deploy : deployGradually(percentage, deployedIn(platform));
    requireUnshared(platform);
    const former = cardOf(standing, join(models, name));
    const version = nextVersion(standing, numbersOf(name, platform));
    const message = `${name} version ${version}`;

    const { card, files } = await buildModel(options, { ...former, version }, backend, print, onStage);
    print(`${message}: ${describeScore(card)}`);
    if (standing.size > 0) objectTo(objections(former, card), force, print);

    const next = releaseInto(standing, files);
    onStage('build and measure the Worker');
    const size = await measureWith(models, name, next);
    print(`worker: ${megabytes(size)}`);
    objectTo(tooLarge(size), force, print);

    onStage('ask the platform');
    requireSame(platform, await onPlatform(models));
    await put({ models, name, next, message }, deployWith, screen);
    print(`deployed ${message}${percentage === undefined ? '' : ` to ${percentage} % of the traffic`}`);
    return deployed(name, standing, next, percentage);
  });
}

/**
 * Deploys the version before.
 *
 * @throws UserError if no earlier version is kept, files do not match their cards, or the deployment failed; then it
 *   says what is deployed
 * @throws Interrupted by a signal while it deploys
 */
export function rollback(models: string, name: string, screen: Screen): Promise<Deployed> {
  return exclusively(models, name, screen, async () => {
    const standing = await readFolder(models, name);
    const next = rollbackIn(join(models, name), standing);
    await requireIntactModels(models);
    await askPlatform(models, screen);
    const message = `${name} version ${versionOf(next)}, back from ${versionOf(standing)}`;
    await put({ models, name, next, message }, deploy, screen);
    screen.print(`deployed ${message}`);
    return deployed(name, standing, next);
  });
}

/** Runs one release at a time in a folder of models. */
async function exclusively<T>(models: string, name: string, screen: Screen, work: () => Promise<T>): Promise<T> {
  await makeFolder(models);
  return withLockOrRefuse(join(models, versionsLock), models, 'no other release in it', async () => {
    const recovered = await recoverFolder(models, name);
    if (recovered) screen.print(`${join(models, name)}: put back in its place, which a killed process had left empty`);
    await settleLeft(models, screen);
    return work();
  });
}

/**
 * Asks the platform before anything is made, so that a user who may not deploy learns it now, and compares what is
 * deployed with the folder.
 *
 * @throws UserError if the platform cannot be asked
 */
async function askPlatform(models: string, { print, onStage }: Screen): Promise<OnPlatform> {
  onStage('ask the platform');
  const found = await onPlatform(models);
  const versions = await beside(models, found.live);
  for (const line of describePlatform({ isKnown: true, versions })) print(line);
  return found;
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
    'what is deployed to be as before the build; nothing is deployed, and the next release starts from what there is now',
    newest?.message ?? newest?.id ?? 'nothing',
  );
}

/** Returns the numbers under which versions of a model were uploaded, from their messages. */
const numbersOf = (name: string, { uploaded }: OnPlatform): readonly string[] =>
  uploaded.flatMap(({ message = '' }) => {
    const [, model, version] = /^(\S+) version (\d+)/.exec(message) ?? [];
    return model === name && version !== undefined ? [version] : [];
  });

function deployed(name: string, standing: Files, next: Files, percentage = 100): Deployed {
  const about = (files: Files) => ({ version: versionOf(files), sha256: sha256Of(files) ?? '' });
  return { name, ...about(next), previous: standing.size > 0 ? about(standing) : null, percentage };
}

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

interface Replacement {
  readonly models: string;
  readonly name: string;
  readonly next: Files;
  /** `message` describes the version of the Worker. */
  readonly message: string;
}

/**
 * Writes the folder and deploys it, tagged by its content. If the deployment fails, the folder is made to agree with
 * what is deployed.
 */
async function put(replacement: Replacement, deployWith: Deploy, screen: Screen): Promise<void> {
  const { models, name, next, message } = replacement;
  screen.onStage('');
  screen.print(`deploying ${message}`);
  using stop = interruption();
  await replaceForNow(models, name, next);
  using _ = atExit(() => {
    screen.print(`${message} may be deployed or not: the next release or rollback finds out, bn-edge status shows it`);
  });
  const pending = { message, tag: await fingerprint(models) };
  try {
    await notePending(models, name, pending);
    await deployWith(models, pending, screen, stop.signal);
  } catch (error) {
    screen.onStage('ask the platform what it has deployed');
    const fate = await settle(models, name, pending);
    if (error instanceof Interrupted) throw new Interrupted(stop.signal, `${error.message}: ${fate}`);
    if (error instanceof UserError) throw new UserError(`${error.message}: ${fate}`, { cause: error });
    throw error;
  }
  await keepReplacement(models, name);
}

/**
 * Asks the platform after a failure, which may have deployed all the same.
 *
 * @returns the outcome, as a message
 */
async function settle(models: string, name: string, { tag, message }: Pending): Promise<string> {
  const folder = join(models, name);
  const found = await isLive(models, tag);
  if (found === true) {
    await keepReplacement(models, name);
    return `${message} is deployed all the same, and ${folder} says so`;
  }
  await undoReplacement(models, name);
  if (found === false) return `nothing is deployed, and ${folder} is as it was`;
  return `whether ${message} is deployed is not known (${found}); ${folder} is as it was, and bn-edge status compares it with the platform`;
}

/**
 * Settles what killed releases have left: makes each folder agree with what is deployed, as after any other failure.
 *
 * @throws UserError if the platform cannot be asked; the next call tries again
 */
async function settleLeft(models: string, { print, onStage }: Screen): Promise<void> {
  for (const [name, pending] of await leftPending(models)) {
    const folder = join(models, name);
    onStage('ask the platform what a release that was killed has deployed');
    const found = pending ? await isLive(models, pending.tag) : false;
    if (typeof found === 'string')
      throw new UserError(`${folder}: what a release that was killed has deployed is not known: ${found}`);
    await (found ? keepReplacement : undoReplacement)(models, name);
    const killed = `${folder}: a release was killed`;
    // The command is most likely the same one again. Running it twice is not wanted, least of all a rollback.
    if (found)
      throw new UserError(
        `${killed}: ${pending?.message ?? ''} is deployed all the same, and it says so now; this command has done nothing else`,
      );
    print(`${killed}: nothing was deployed, and it is as it was`);
  }
}
