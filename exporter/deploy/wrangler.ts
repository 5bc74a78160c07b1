/**
 * The Worker as Wrangler bundles and deploys it, run as its command line; what it did is read from the lines of JSON that
 * it writes: https://developers.cloudflare.com/workers/wrangler/system-environment-variables/ (WRANGLER_OUTPUT_FILE_PATH)
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { unexpected, UserError } from '../../training/files/index.ts';

/** The members that matter here of the lines of all kinds. */
interface OutputLine {
  readonly type: string;
  readonly version_id?: string | null;
}

interface Deployment {
  readonly created_on?: string;
  readonly versions: readonly { readonly version_id: string; readonly percentage: number }[];
}

interface Version {
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Where a deployment shows what it does: lines, and what Wrangler prints by itself. */
export interface Screen {
  readonly print: (line: string) => void;
  /** The file descriptor that Wrangler's standard output goes to. */
  readonly stdout: 1 | 2;
}

/** What a version of the Worker is called on the platform. */
export interface Label {
  /** For people. */
  readonly message: string;
  /** Stands for all models in it: see `fingerprint`. */
  readonly tag: string;
}

/** A version of the Worker that has some of the traffic. */
export interface LiveVersion {
  readonly id: string;
  readonly percentage: number;
  readonly message?: string;
  readonly tag?: string;
}

/** Wrangler looks for its configuration in this order. */
export const configurations = ['wrangler.toml', 'wrangler.json', 'wrangler.jsonc'] as const;

/** @throws UserError where this folder is no project of Wrangler's */
export function requireProject(command: string): void {
  if (configurations.some((file) => existsSync(file))) return;
  throw new UserError(`${command}: expected a wrangler.toml in this folder, got none; run bn-edge init first`);
}

/** Bundles the Worker without uploading it: what the platform would weigh, in bytes. */
export async function measure(models: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'bn-edge-bundle-'));
  try {
    await wrangler('deploy', ['--dry-run', '--outdir', folder], models, 'quietly');
    return await uploadedBytes(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Of all that Wrangler has put there, but its note on the folder and the source maps. Not all versions tell the size. */
async function uploadedBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !/^README\.md$|\.map$/.test(entry.name));
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Gives the models of a folder all the traffic. */
export async function deploy(models: string, label: Label, { stdout }: Screen): Promise<void> {
  await wrangler('deploy', labelled(label), models, stdout);
}

/** Gives the models of a folder `percentage` of the traffic, and the rest to the version that has had it all. */
export async function deployGradually(
  models: string,
  label: Label,
  { stdout }: Screen,
  percentage: number,
  rest: string,
): Promise<void> {
  const { lines } = await wrangler('versions upload', labelled(label), models, stdout);
  const fresh = lines.find(({ type }) => type === 'version-upload')?.version_id;
  if (!fresh) throw new Error('internal: wrangler did not tell the version that it uploaded');
  const shares = [`${fresh}@${percentage}%`, `${rest}@${100 - percentage}%`];
  await wrangler('versions deploy', [...shares, '--message', label.message, '-y'], models, stdout);
}

const labelled = ({ message, tag }: Label): readonly string[] => ['--message', message, '--tag', tag];

/**
 * The version of the Worker that has all the traffic.
 * @throws UserError where traffic is shared, or nothing is deployed
 */
export async function deployedVersion(models: string): Promise<string> {
  const { versions } = await deployment(models);
  const [only, ...others] = versions;
  if (!only || others.length > 0) {
    throw unexpected('--percentage', 'one deployed version (wrangler deploy ends a gradual release)', versions.length);
  }
  return only.version_id;
}

/**
 * The versions of the Worker that answer requests, as the platform tells.
 * @throws UserError where it cannot be asked, or nothing is deployed
 */
export async function liveVersions(models: string): Promise<readonly LiveVersion[]> {
  const { versions } = await deployment(models);
  return Promise.all(
    versions.map(async ({ version_id: id, percentage }) => {
      const { stdout } = await wrangler('versions view', [id, '--json'], models, 'quietly');
      const { annotations = {} } = JSON.parse(stdout) as Version;
      const [message, tag] = [annotations['workers/message'], annotations['workers/tag']];
      return { id, percentage, ...(message !== undefined && { message }), ...(tag !== undefined && { tag }) };
    }),
  );
}

async function deployment(models: string): Promise<Deployment> {
  const { stdout } = await wrangler('deployments status', ['--json'], models, 'quietly');
  return JSON.parse(stdout) as Deployment;
}

/** Where it prints to: nowhere, or beside us. */
type Volume = 'quietly' | Screen['stdout'];

/** @throws UserError with the first error it printed, or, where it was heard, its exit code */
async function wrangler(command: string, options: readonly string[], models: string, volume: Volume) {
  const args = [...command.split(' '), ...options];
  const folder = await mkdtemp(join(tmpdir(), 'bn-edge-wrangler-'));
  const output = join(folder, 'output.ndjson');
  try {
    const { stdout, stderr, code } = await run(
      args,
      { MODELS_DIR: resolve(models), WRANGLER_OUTPUT_FILE_PATH: output },
      volume,
    );
    if (code !== 0) throw new UserError(`wrangler ${command}: ${firstError(stderr) ?? `exit code ${code}`}`);
    return { stdout, lines: parseLines(await readFile(output, 'utf8')) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function run(args: readonly string[], env: Readonly<Record<string, string>>, volume: Volume) {
  const child = spawn(process.execPath, [wranglerEntry(), ...args], {
    stdio: ['ignore', ...(volume === 'quietly' ? (['pipe', 'pipe'] as const) : ([volume, 'inherit'] as const))],
    env: { ...wranglerEnvironment(), ...env },
  });
  const heard = [child.stdout, child.stderr].map((stream) => (stream ? text(stream) : Promise.resolve('')));
  const [code] = (await once(child, 'exit')) as [number | null];
  const [stdout = '', stderr = ''] = await Promise.all(heard);
  return { stdout, stderr, code };
}

/** Without telemetry; what the project has installed is found by the build that Wrangler runs, `bn-edge` itself among it. */
export function wranglerEnvironment(): NodeJS.ProcessEnv {
  const path = [resolve('node_modules/.bin'), process.env['PATH']].join(delimiter);
  return { ...process.env, PATH: path, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true' };
}

/**
 * Wrangler's entry file, so that no shell is needed on any system: the project's own, or else one that is installed beside this
 * package.
 * @throws UserError where there is none
 */
export function wranglerEntry(): string {
  for (const from of [resolve('package.json'), import.meta.url]) {
    try {
      return join(dirname(createRequire(from).resolve('wrangler/package.json')), 'bin/wrangler.js');
    } catch {
      // Not from there.
    }
  }
  throw new UserError('wrangler: expected it to be installed, got none; run npm i -D wrangler');
}

const parseLines = (ndjson: string): readonly OutputLine[] =>
  ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as OutputLine);

const firstError = (stderr: string): string | undefined =>
  /\[ERROR\]\s+(.+)/.exec(stripVTControlCharacters(stderr))?.[1];
