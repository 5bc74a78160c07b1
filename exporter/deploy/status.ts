/** Compares the models in a folder with what is deployed. */
import { join } from 'node:path';
import { UserError } from '../../training/files/index.ts';
import { modelFileAmong, modelNames } from '../store/models-folder.ts';
import { cardOf, readFolder, versionOf, versionsIn } from '../store/versions.ts';
import { fingerprint, sha256Of } from './fingerprint.ts';
import { type LiveVersion, onPlatform } from './platform.ts';

export interface ModelStatus {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** `kept` is the version before, which a rollback would deploy. */
  readonly kept: { readonly version: string; readonly sha256: string } | null;
  /** `isIntact` is true if the file is the one that its card describes, or the card describes none. */
  readonly isIntact: boolean;
}

/** A version of the Worker, and whether it holds the models of the folder as they are now. */
export interface DeployedVersion extends LiveVersion {
  readonly holds: 'these' | 'others' | 'unknown';
}

export type Platform =
  | { readonly isKnown: true; readonly versions: readonly DeployedVersion[] }
  | { readonly isKnown: false; readonly reason: string };

export interface Status {
  readonly models: readonly ModelStatus[];
  readonly platform: Platform;
}

/** @throws UserError if there is no such folder of models */
export async function status(models: string): Promise<Status> {
  const found = await Promise.all(modelNames(models).map((name) => modelStatus(models, name)));
  return { models: found, platform: await platformOf(models) };
}

async function modelStatus(models: string, name: string): Promise<ModelStatus> {
  const folder = join(models, name);
  const [current, kept] = versionsIn(folder, await readFolder(models, name)).map(([place, files]) => ({
    version: versionOf(files, place),
    sha256: sha256Of(files) ?? '',
    stated: cardOf(files, place).files?.[modelFileAmong(files.keys())]?.sha256,
  }));
  const { version = '', sha256 = '', stated } = current ?? {};
  return {
    name,
    version,
    sha256,
    kept: kept ? { version: kept.version, sha256: kept.sha256 } : null,
    isIntact: stated === undefined || stated === sha256,
  };
}

async function platformOf(models: string): Promise<Platform> {
  try {
    const { live } = await onPlatform(models);
    return { isKnown: true, versions: await comparedWith(models, live) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { isKnown: false, reason: error.message };
  }
}

/** Adds to each deployed version whether it holds the models of the folder. */
export async function comparedWith(models: string, live: readonly LiveVersion[]): Promise<readonly DeployedVersion[]> {
  const now = await fingerprint(models);
  return live.map((version) => ({ ...version, holds: holds(version, now) }));
}

function holds({ tag }: LiveVersion, now: string): DeployedVersion['holds'] {
  if (!tag?.startsWith('models-')) return 'unknown';
  return tag === now ? 'these' : 'others';
}

/** Returns a line for each version that answers requests. */
export function describePlatform(platform: Platform): readonly string[] {
  if (!platform.isKnown) return [`deployed: unknown: ${platform.reason}`];
  if (platform.versions.length === 0) return ['deployed: nothing yet'];
  return platform.versions.map(
    ({ id, percentage, message, holds }) =>
      `deployed: ${percentage} % of the traffic to ${contents[holds]} (${message ?? 'no message'}; ${id})`,
  );
}

const contents: Readonly<Record<DeployedVersion['holds'], string>> = {
  these: 'these models',
  others: 'other models, or other versions',
  unknown: 'unknown models',
};
