/**
 * Deploys a model's folder with other files in it. The folder of models says what is deployed: if a deployment fails, the
 * platform is asked which of the two versions that is.
 */
import { join } from 'node:path';
import { atExit, makeFolder, UserError } from '../../training/files/index.ts';
import { Interrupted, interruption, withLockOrRefuse } from '../../training/process/index.ts';
import {
  keepReplacement,
  leftPending,
  notePending,
  type Pending,
  replaceForNow,
  undoReplacement,
} from '../store/pending.ts';
import { recoverFolder } from '../store/replace-folder.ts';
import { versionsLock } from '../store/rollback.ts';
import { type Files, versionOf } from '../store/versions.ts';
import { fingerprint, sha256Of } from './fingerprint.ts';
import { type Deploy, isLive, type OnPlatform, onPlatform } from './platform.ts';
import { comparedWith, describePlatform } from './status.ts';
import type { Screen } from './wrangler.ts';

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

/** Runs one release at a time in a folder of models. */
export async function exclusively<T>(models: string, name: string, screen: Screen, work: () => Promise<T>): Promise<T> {
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
export async function askPlatform(models: string, { print, onStage }: Screen): Promise<OnPlatform> {
  onStage('ask the platform');
  const found = await onPlatform(models);
  const versions = await comparedWith(models, found.live);
  for (const line of describePlatform({ isKnown: true, versions })) print(line);
  return found;
}

/** Describes a deployment, which has replaced the files `before`. */
export function deployed(name: string, before: Files, next: Files, percentage = 100): Deployed {
  const about = (files: Files) => ({ version: versionOf(files), sha256: sha256Of(files) ?? '' });
  return { name, ...about(next), previous: before.size > 0 ? about(before) : null, percentage };
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
export async function deployFolder(replacement: Replacement, deployWith: Deploy, screen: Screen): Promise<void> {
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
