/**
 * Packs the package and installs it, with Wrangler, into an empty folder outside the repository, once for all tests of
 * the package, which get `inject('installation')`.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { succeed } from './outside.ts';

export interface Installation {
  /** A user's project, in which no command has run yet. */
  readonly app: string;
  readonly tarball: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    readonly installation: Installation;
  }
}

const root = join(import.meta.dirname, '../..');

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'bn-edge-package-'));
  provide('installation', await install(folder));
  return () => rm(folder, { recursive: true });
}

async function install(folder: string): Promise<Installation> {
  const tarball = await pack(folder);
  const app = join(folder, 'app');
  await mkdir(app);
  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly devDependencies: { readonly wrangler: string };
  };
  await succeed('npm', ['init', '-y'], { cwd: app });
  const packages = [tarball, `wrangler@${devDependencies.wrangler}`];
  await succeed('npm', ['install', '--save-dev', '--prefer-offline', ...packages], { cwd: app });
  return { app, tarball };
}

async function pack(folder: string): Promise<string> {
  await succeed(process.execPath, ['--import', 'tsx', 'build.ts'], { cwd: root });
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [packed] = JSON.parse(await succeed('npm', args, { cwd: root })) as readonly { readonly filename: string }[];
  if (!packed) throw new Error('npm pack names no file');
  return join(folder, packed.filename);
}
