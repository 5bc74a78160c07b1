/** Deploys the Worker to the platform, and asks the platform about it, through Wrangler. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson, UserError } from '../../training/files/index.ts';
import { withScratch } from '../../training/process/index.ts';
import { failure, requireLine, type Screen, tryWrangler, wrangler } from './wrangler.ts';

interface Deployment {
  readonly versions: readonly { readonly version_id: string; readonly percentage: number }[];
}

interface Version {
  readonly id: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Describes a version of the Worker on the platform. */
export interface Label {
  /** `message` is for people. */
  readonly message: string;
  /** `tag` stands for all models in the version: see `fingerprint`. */
  readonly tag: string;
}

/** A version of the Worker that gets some of the traffic. */
export interface LiveVersion extends Partial<Label> {
  readonly id: string;
  readonly percentage: number;
}

/**
 * Deploys the models of a folder. An interruption ends Wrangler; only the platform knows whether the deployment was
 * made before.
 */
export type Deploy = (models: string, label: Label, screen: Screen, interruption: AbortSignal) => Promise<void>;

/**
 * Bundles the Worker without uploading it.
 *
 * @returns the size that the platform would measure, in bytes
 */
export function measure(models: string): Promise<number> {
  return withScratch('bundle', async (folder) => {
    await wrangler('deploy', ['--dry-run', '--outdir', folder], models);
    return uploadedBytes(folder);
  });
}

/**
 * Adds up all files that Wrangler has written, but its note on the folder and the source maps. Not all versions of
 * Wrangler print the size.
 */
async function uploadedBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !/^README\.md$|\.map$/.test(entry.name));
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Gives the models of a folder all the traffic. */
export const deploy: Deploy = async (models, label, { stdout }, interruption) => {
  const outcome = await wrangler('deploy', labelled(label), models, { stdout, interruption });
  requireLine('deploy', outcome, 'deploy');
};

/** Gives the models of a folder `percentage` of the traffic, and the rest to the version that had all of it. */
export const deployGradually =
  (percentage: number, rest: string): Deploy =>
  async (models, label, { print, stdout }, interruption) => {
    const upload = await wrangler('versions upload', labelled(label), models, { stdout, interruption });
    const { version_id: fresh } = requireLine('versions upload', upload, 'version-upload');
    if (!fresh) throw new Error('internal: wrangler did not tell the version that it uploaded');
    const shares = [`${fresh}@${percentage}%`, `${rest}@${100 - percentage}%`];
    const args = [...shares, '--message', label.message, '-y'];
    const outcome = await wrangler('versions deploy', args, models, { stdout, interruption });
    requireLine('versions deploy', outcome, 'version-deploy');
    print(`to give it all the traffic: npx wrangler versions deploy ${fresh}@100% -y; none: npx bn-edge rollback`);
  };

const labelled = ({ message, tag }: Label): readonly string[] => ['--message', message, '--tag', tag];

/** The state of the Worker on the platform. */
export interface OnPlatform {
  /** `live` lists the versions that answer requests; none before the first deployment. */
  readonly live: readonly LiveVersion[];
  /** `uploaded` lists the labels of the last versions, whether or not they were deployed. */
  readonly uploaded: readonly Partial<Label>[];
}

/** @throws UserError if the platform cannot be asked */
export async function onPlatform(models: string): Promise<OnPlatform> {
  const asked = [
    ask<Deployment>('deployments status', models, { versions: [] }),
    ask<readonly Version[]>('versions list', models, []),
  ] as const;
  // If both fail, the error of the first is reported, whichever fails earlier.
  await Promise.allSettled(asked);
  const [deployment, uploaded] = [await asked[0], await asked[1]];
  const live = deployment.versions.map(async ({ version_id: id, percentage }) => {
    const listed = uploaded.find((version) => version.id === id);
    // Only the last versions are listed.
    return { id, percentage, ...labelOf(listed ?? (await versionOf(models, id))) };
  });
  return { live: await Promise.all(live), uploaded: uploaded.map(labelOf) };
}

/** @param none the answer if there is no such Worker */
async function ask<T>(command: string, models: string, none: T): Promise<T> {
  const answer = await tryWrangler(command, ['--json'], models);
  if (isMissing(answer.stderr)) return none;
  if (answer.code !== 0) throw failure(command, answer);
  return parseJson(answer.stdout, `wrangler ${command}`) as T;
}

async function versionOf(models: string, id: string): Promise<Version> {
  const { stdout } = await wrangler('versions view', [id, '--json'], models);
  return parseJson(stdout, 'wrangler versions view') as Version;
}

/** Is true if the platform knows no Worker of this name, or none that answers requests. */
const isMissing = (stderr: string): boolean => /\[code: 10007\]|has no deployments/.test(stderr);

function labelOf({ annotations = {} }: Version): Partial<Label> {
  const [message, tag] = [annotations['workers/message'], annotations['workers/tag']];
  return { ...(message !== undefined && { message }), ...(tag !== undefined && { tag }) };
}

/**
 * Tells whether a version with this tag gets some of the traffic.
 *
 * @returns the reason if the platform cannot be asked
 */
export async function isLive(models: string, tag: string): Promise<boolean | string> {
  try {
    return (await onPlatform(models)).live.some((version) => version.tag === tag);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
