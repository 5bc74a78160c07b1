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
import { fingerprint, sha256Of } from './fingerprint.ts';
import { describeScore, objections } from './objections.ts';
import { megabytes, tooLarge } from './worker-size.ts';
import { deploy, deployedVersion, deployGradually, measure, type Screen } from './wrangler.ts';

export interface ReleaseOptions extends ExportOptions {
  /** Whether to release in spite of all objections. */
  readonly force: boolean;
  /** The share of the traffic, from 1 to 99; without it the new version gets all. */
  readonly percentage?: number | undefined;
}

/** A version of a model that has been deployed. */
export interface Deployed {
  readonly name: string;
  readonly version: string;
  /** Of `model.onnx`. */
  readonly sha256: string;
  /** What it took the place of, which is kept. */
  readonly previous: { readonly version: string; readonly sha256: string } | null;
  /** Of the traffic. */
  readonly percentage: number;
}

/** @throws UserError for a checkpoint that cannot be exported, an objection, or a failed deployment; nothing has changed then */
export async function release(options: ReleaseOptions, backend: Backend, screen: Screen): Promise<Deployed> {
  const { models, name, percentage, force } = options;
  const { print } = screen;
  const deployWith = percentage === undefined ? deploy : await gradually(models, percentage);
  const standing = await readFolder(models, name);
  const [former, version] = [cardOf(standing, join(models, name)), nextVersion(standing)];
  const message = `${name} version ${version}`;

  const { card, files } = await buildModel(options, { ...former, version }, backend, print);
  print(`${message}: ${describeScore(card)}`);
  if (standing.size > 0) objectTo(objections(former, card), force, print);

  const next = releaseInto(standing, files);
  const size = await measureWith(models, name, next);
  print(`worker: ${megabytes(size)}`);
  objectTo(tooLarge(size), force, print);

  await put(models, name, standing, next, (tag) => deployWith(models, { message, tag }, screen));
  print(`deployed ${message}${percentage === undefined ? '' : ` to ${percentage} % of the traffic`}`);
  return deployed(name, standing, next, percentage);
}

async function gradually(models: string, percentage: number): Promise<typeof deploy> {
  const rest = await deployedVersion(models);
  return (folder, label, screen) => deployGradually(folder, label, screen, percentage, rest);
}

/** @throws UserError where no earlier version is kept, or the deployment fails; nothing has changed then */
export async function rollback(models: string, name: string, screen: Screen): Promise<Deployed> {
  const standing = await readFolder(models, name);
  const next = rollbackIn(join(models, name), standing);
  const message = `${name} version ${versionOf(next)}, back from ${versionOf(standing)}`;
  await put(models, name, standing, next, (tag) => deploy(models, { message, tag }, screen));
  screen.print(`deployed ${message}`);
  return deployed(name, standing, next);
}

function deployed(name: string, standing: Files, next: Files, percentage = 100): Deployed {
  const about = (files: Files) => ({ version: versionOf(files), sha256: sha256Of(files) ?? '' });
  return { name, ...about(next), previous: standing.size > 0 ? about(standing) : null, percentage };
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

function objectTo(found: readonly string[], force: boolean, print: Screen['print']): void {
  if (found.length === 0) return;
  if (!force) throw new UserError(`${found.join('; ')} (--force releases it all the same)`);
  for (const objection of found) print(`forced, although ${objection}`);
}

/** Writes the folder and deploys it, tagged by what it holds; where that fails the folder is as it was. */
async function put(
  models: string,
  name: string,
  standing: Files,
  next: Files,
  deployment: (tag: string) => Promise<void>,
) {
  await replaceFolder(models, name, next);
  try {
    await deployment(await fingerprint(models));
  } catch (error) {
    if (standing.size > 0) await replaceFolder(models, name, standing);
    else await rm(join(models, name), { recursive: true });
    throw error;
  }
}
