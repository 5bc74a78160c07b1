/** The models in a folder beside what is deployed. */
import { join } from 'node:path';
import { UserError } from '../../training/files/index.ts';
import { modelNames } from '../store/models-folder.ts';
import { cardOf, currentOf, type Files, keptOf, readFolder, versionOf } from '../store/versions.ts';
import { fingerprint, sha256Of } from './fingerprint.ts';
import { type LiveVersion, liveVersions } from './wrangler.ts';

export interface ModelStatus {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** The version before, which a rollback would deploy. */
  readonly kept: { readonly version: string; readonly sha256: string } | null;
  /** Whether the file is the one that its card describes; a card need not. */
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

/** @throws UserError for a folder of models that is none */
export async function status(models: string): Promise<Status> {
  const found = await Promise.all(modelNames(models).map((name) => modelStatus(models, name)));
  return { models: found, platform: await platformOf(models) };
}

async function modelStatus(models: string, name: string): Promise<ModelStatus> {
  const files = await readFolder(models, name);
  const [current, kept] = [currentOf(files), formerOf(files)];
  const sha256 = sha256Of(current) ?? '';
  const folder = join(models, name);
  const stated = cardOf(current, folder).files?.['model.onnx']?.sha256;
  return {
    name,
    version: versionOf(current),
    sha256,
    kept:
      kept.size > 0
        ? { version: versionOf(kept, join(folder, formerFolder(files))), sha256: sha256Of(kept) ?? '' }
        : null,
    isIntact: stated === undefined || stated === sha256,
  };
}

const formerFolder = (files: Files): string => ([...keptOf(files).keys()][0] ?? '').split('/', 2).join('/');

/** The files of the version before under the names that they had as the current one's. */
const formerOf = (files: Files): Files =>
  new Map([...keptOf(files)].map(([path, bytes]) => [path.split('/').slice(2).join('/'), bytes]));

async function platformOf(models: string): Promise<Platform> {
  try {
    const [live, now] = [await liveVersions(models), await fingerprint(models)];
    return { isKnown: true, versions: live.map((version) => ({ ...version, holds: holds(version, now) })) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { isKnown: false, reason: error.message };
  }
}

function holds({ tag }: LiveVersion, now: string): DeployedVersion['holds'] {
  if (!tag?.startsWith('models-')) return 'unknown';
  return tag === now ? 'these' : 'others';
}
