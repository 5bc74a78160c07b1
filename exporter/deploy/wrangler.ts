/**
 * The Worker as Wrangler bundles and deploys it, run as its command line; what it did is read from the lines of JSON that
 * it writes: https://developers.cloudflare.com/workers/wrangler/system-environment-variables/ (WRANGLER_OUTPUT_FILE_PATH)
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { unexpected, UserError } from '../../training/files/index.ts';

/** The members that matter here of the lines of all kinds. */
interface OutputLine {
  readonly type: string;
  readonly version_id?: string | null;
  readonly bundle_size?: { readonly raw_bytes: number };
}

interface Deployment {
  readonly versions: readonly { readonly version_id: string; readonly percentage: number }[];
}

/** Bundles the Worker without uploading it: what the platform would weigh, in bytes. */
export async function measure(models: string): Promise<number> {
  const { lines } = await wrangler('deploy', ['--dry-run'], models, 'quietly');
  const size = lines.find(({ type }) => type === 'deploy')?.bundle_size;
  if (!size) throw new Error('internal: wrangler did not tell the size of the bundle');
  return size.raw_bytes;
}

/** Gives the models of a folder all the traffic. */
export async function deploy(models: string, message: string): Promise<void> {
  await wrangler('deploy', ['--message', message], models, 'aloud');
}

/** Gives the models of a folder `percentage` of the traffic, and the rest to the version that has had it all. */
export async function deployGradually(
  models: string,
  message: string,
  percentage: number,
  rest: string,
): Promise<void> {
  const { lines } = await wrangler('versions upload', ['--message', message], models, 'aloud');
  const fresh = lines.find(({ type }) => type === 'version-upload')?.version_id;
  if (!fresh) throw new Error('internal: wrangler did not tell the version that it uploaded');
  const shares = [`${fresh}@${percentage}%`, `${rest}@${100 - percentage}%`];
  await wrangler('versions deploy', [...shares, '--message', message, '-y'], models, 'aloud');
}

/**
 * The version of the Worker that has all the traffic.
 * @throws UserError where traffic is shared, or nothing is deployed
 */
export async function deployedVersion(models: string): Promise<string> {
  const { stdout } = await wrangler('deployments status', ['--json'], models, 'quietly');
  const { versions } = JSON.parse(stdout) as Deployment;
  const [only, ...others] = versions;
  if (!only || others.length > 0) {
    throw unexpected('--percentage', 'one deployed version (npm run deploy ends a gradual release)', versions.length);
  }
  return only.version_id;
}

type Volume = 'quietly' | 'aloud';

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
  const sink = volume === 'aloud' ? 'inherit' : 'pipe';
  const child = spawn(process.execPath, [entry(), ...args], {
    stdio: ['ignore', sink, sink],
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', ...env },
  });
  const heard = [child.stdout, child.stderr].map((stream) => (stream ? text(stream) : Promise.resolve('')));
  const [code] = (await once(child, 'exit')) as [number | null];
  const [stdout = '', stderr = ''] = await Promise.all(heard);
  return { stdout, stderr, code };
}

/** Wrangler's entry file, so that no shell is needed on any system. */
function entry(): string {
  const manifest = createRequire(import.meta.url).resolve('wrangler/package.json');
  return join(dirname(manifest), 'bin/wrangler.js');
}

const parseLines = (ndjson: string): readonly OutputLine[] =>
  ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as OutputLine);

const firstError = (stderr: string): string | undefined => /\[ERROR\]\S*\s+(.+)/.exec(stderr)?.[1];
