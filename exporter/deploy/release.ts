/** Checkpoint in, deployed version out; and the way back. The folder of models always says what is deployed. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '../../training/backend/index.ts';
import { UserError } from '../../training/files/index.ts';
import { buildModel, type ExportOptions } from '../model/export.ts';
import { replaceFolder } from '../store/replace-folder.ts';
import {
  cardOf,
  type Files,
  nextVersion,
  readFolder,
  release as releaseInto,
  rollback as rollbackIn,
  versionOf,
} from '../store/versions.ts';
import { describeScore, objections } from './objections.ts';
import { megabytes, tooLarge } from './worker-size.ts';
import { deploy, deployedVersion, deployGradually, measure } from './wrangler.ts';

export interface ReleaseOptions extends ExportOptions {
  /** Whether to release in spite of all objections. */
  readonly force: boolean;
  /** The share of the traffic, from 1 to 99; without it the new version gets all. */
  readonly percentage?: number | undefined;
}

type Print = (line: string) => void;

/** @throws UserError for a checkpoint that cannot be exported, an objection, or a failed deployment; nothing has changed then */
export async function release(options: ReleaseOptions, backend: Backend, print: Print): Promise<void> {
  const { models, name, percentage, force } = options;
  const deployWith = percentage === undefined ? deploy : await gradually(models, percentage);
  const standing = await readFolder(models, name);
  const [former, version] = [cardOf(standing), nextVersion(standing)];
  const message = `${name} version ${version}`;

  const { card, files } = await buildModel(options, { ...former, version }, backend);
  print(`${message}: ${describeScore(card)}`);
  if (standing.size > 0) objectTo(objections(former, card), force, print);

  const next = releaseInto(standing, files);
  const size = await measureWith(models, name, next);
  print(`worker: ${megabytes(size)}`);
  objectTo(tooLarge(size), force, print);

  await put(models, name, standing, next, () => deployWith(models, message));
  print(`deployed ${message}${percentage === undefined ? '' : ` to ${percentage} % of the traffic`}`);
}

async function gradually(models: string, percentage: number) {
  const rest = await deployedVersion(models);
  return (folder: string, message: string) => deployGradually(folder, message, percentage, rest);
}

/** @throws UserError where no earlier version is kept, or the deployment fails; nothing has changed then */
export async function rollback(models: string, name: string, print: Print): Promise<void> {
  const standing = await readFolder(models, name);
  const next = rollbackIn(join(models, name), standing);
  const message = `${name} version ${versionOf(next)}, back from ${versionOf(standing)}`;
  await put(models, name, standing, next, () => deploy(models, message));
  print(`deployed ${message}`);
}

/** The size of the Worker that would serve the models with this one changed. */
async function measureWith(models: string, name: string, files: Files): Promise<number> {
  const scratch = await mkdtemp(join(tmpdir(), 'bn-edge-release-'));
  try {
    await cp(models, scratch, { recursive: true });
    await replaceFolder(scratch, name, files);
    return await measure(scratch);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

function objectTo(found: readonly string[], force: boolean, print: Print): void {
  if (found.length === 0) return;
  if (!force) throw new UserError(`${found.join('; ')} (--force releases it all the same)`);
  for (const objection of found) print(`forced, although ${objection}`);
}

/** Writes the folder and deploys it; where that fails the folder is as it was. */
async function put(models: string, name: string, standing: Files, next: Files, deployment: () => Promise<void>) {
  await replaceFolder(models, name, next);
  try {
    await deployment();
  } catch (error) {
    if (standing.size > 0) await replaceFolder(models, name, standing);
    else await rm(join(models, name), { recursive: true });
    throw error;
  }
}
