/** Writes the files that a project needs to deploy models and does not have. */
import { existsSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  cannotRead,
  cannotWrite,
  makeFolder,
  requireStored,
  unexpected,
  writeAtomically,
} from '../../training/files/index.ts';
import { configurations } from '../deploy/wrangler.ts';
import { type Completed, monitorSource, monitorToml, withBinding, withClass, workerSource } from './init-monitor.ts';
import { addScripts, parseManifest } from './package-scripts.ts';

/** Lists paths inside the project. */
export interface Initialized {
  readonly wrote: readonly string[];
  /** Maps files to the lines or scripts that were added to them. */
  readonly added: Readonly<Record<string, readonly string[]>>;
  readonly left: readonly string[];
  /** Holds what the user has to do if a file of their own says something else. */
  readonly notes: readonly string[];
}

/** A file to write. `added` lists what was added if the file existed already. */
interface Change {
  readonly path: string;
  readonly content: string;
  readonly added?: readonly string[];
}

const scripts = { dev: 'wrangler dev', deploy: 'wrangler deploy' } as const;
const ignored = ['node_modules/', '.bn-edge/', '.wrangler/', '.dev.vars', 'runs/'] as const;
const workerFile = 'worker/index.ts';
const workflow = '.github/workflows/bn-edge.yml';

/** @throws UserError for an invalid package.json; otherwise an error of the file system, which names the path */
export async function initialize(folder: string, withWorkflow: boolean, withMonitor = false): Promise<Initialized> {
  const name = await projectName(folder);
  const folders = ['worker', 'models', ...(withWorkflow ? ['.github', dirname(workflow)] : [])];
  for (const path of folders) await requireFolder(join(folder, path));
  const models = existsSync(join(folder, 'models'));
  const wrangler = configurations.find((path) => existsSync(join(folder, path)));
  const files: Readonly<Record<string, string>> = {
    ...(!wrangler && { 'wrangler.toml': `${await wranglerToml(name)}${withMonitor ? monitorToml : ''}` }),
    'tsconfig.json': await template('tsconfig.json'),
    [workerFile]: withMonitor ? monitorSource : workerSource,
    ...(!models && { 'models/.gitkeep': '' }),
    ...(withWorkflow && { [workflow]: await template('bn-edge.yml') }),
  };
  const missing = Object.entries(files).filter(([path]) => !existsSync(join(folder, path)));
  const completed = withMonitor ? await monitored(folder, wrangler) : [];
  const extended = [
    await packageJson(folder, name),
    await gitignore(folder),
    ...completed.flatMap(({ path, change }) => (change.length > 0 ? [{ path, change }] : [])),
  ];
  const changes = [
    ...missing.map(([path, content]): Change => ({ path, content })),
    ...extended.flatMap((c) => c.change),
  ];
  for (const change of changes) await write(folder, change);
  const wrote = changes.filter(({ added }) => !added).map(({ path }) => path);
  const added = changes.flatMap(({ path, added: what }) => (what ? [[path, what] as const] : []));
  const all = new Set([
    ...(wrangler ? [wrangler] : []),
    ...Object.keys(files),
    ...(models ? ['models/'] : []),
    ...extended.map(({ path }) => path),
  ]);
  return {
    wrote,
    added: Object.fromEntries(added),
    left: [...all].filter((path) => !changes.some((change) => change.path === path)),
    notes: [...(wrangler ? await wranglerNotes(folder, wrangler) : []), ...completed.flatMap(({ note }) => note ?? [])],
  };
}

export const wranglerToml = async (name: string): Promise<string> =>
  (await template('wrangler.toml')).replace('NAME', workerName(name));

const template = (file: string): Promise<string> => readFile(new URL(`templates/${file}`, import.meta.url), 'utf8');

/** Returns a name that the platform accepts: at most 54 lower-case letters, digits and hyphens. */
function workerName(name: string): string {
  const words = name
    .toLowerCase()
    .replace(/^@[^/]*\//, '')
    .match(/[a-z0-9]+/g) ?? ['app'];
  return words.join('-').slice(0, 54).replace(/-$/, '');
}

/** @throws UserError, before anything is written, if a file has the name of a folder */
async function requireFolder(path: string): Promise<void> {
  const existing = await stat(path).catch(() => undefined);
  if (!existing || existing.isDirectory()) return;
  throw unexpected(path, 'a folder, or nothing', 'a file; move it, or name another project: bn-edge init <folder>');
}

/** Returns the name of the package or, without one, of its folder. */
async function projectName(folder: string): Promise<string> {
  const path = join(folder, 'package.json');
  const { name } = parseManifest(path, (await textOf(path)) ?? '{}');
  return typeof name === 'string' ? name : basename(resolve(folder));
}

interface Extended {
  readonly path: string;
  /** Holds one change or none. */
  readonly change: readonly Change[];
}

async function packageJson(folder: string, name: string): Promise<Extended> {
  const path = 'package.json';
  const existing = await textOf(join(folder, path));
  if (existing === undefined) {
    const content = { name: workerName(name), private: true, type: 'module', scripts };
    return { path, change: [{ path, content: `${JSON.stringify(content, undefined, 2)}\n` }] };
  }
  const { text, added } = addScripts(join(folder, path), existing, scripts);
  const named = added.map((script) => `script ${script}`);
  return { path, change: added.length > 0 ? [{ path, content: text, added: named }] : [] };
}

async function gitignore(folder: string): Promise<Extended> {
  const path = '.gitignore';
  const existing = await textOf(join(folder, path));
  if (existing === undefined) return { path, change: [{ path, content: `${ignored.join('\n')}\n` }] };
  const plain = (line: string) => line.trim().replace(/^\//, '').replace(/\/$/, '');
  const lines = new Set(existing.split('\n').map(plain));
  const added = ignored.filter((line) => !lines.has(plain(line)));
  const newline = existing.includes('\r\n') ? '\r\n' : '\n';
  const gap = existing === '' || existing.endsWith('\n') ? '' : newline;
  const content = `${existing}${gap}${added.map((line) => `${line}${newline}`).join('')}`;
  return { path, change: added.length > 0 ? [{ path, content, added }] : [] };
}

/** Adds to existing files what monitoring needs. */
async function monitored(
  folder: string,
  wrangler: string | undefined,
): Promise<readonly (Extended & Pick<Completed, 'note'>)[]> {
  const existing = [
    [wrangler, withBinding, 'the binding DRIFT'],
    [workerFile, withClass, 'the class DriftMonitor'],
  ] as const;
  const all = await Promise.all(
    existing.map(async ([path, complete, what]) => {
      const text = path === undefined ? undefined : await textOf(join(folder, path));
      if (path === undefined || text === undefined) return [];
      const { content, note } = complete(path, text);
      const change = content === undefined ? [] : [{ path, content, added: [what] }];
      return [{ path, change, ...(note !== undefined && { note }) }];
    }),
  );
  return all.flat();
}

/** Says what the user's own Wrangler configuration needs. */
async function wranglerNotes(folder: string, file: string): Promise<readonly string[]> {
  const text = (await textOf(join(folder, file))) ?? '';
  if (text.includes('bn-edge build')) return [];
  const isToml = file.endsWith('.toml');
  const build = isToml
    ? '[build] command = "bn-edge build", watch_dir = ["models", "worker"]'
    : '"build": { "command": "bn-edge build", "watch_dir": ["models", "worker"] }';
  return [
    `${file} is yours: it needs ${build}, and main worker/index.ts or a Worker of your own that imports .bn-edge/image.mjs`,
  ];
}

/** A new file is written whole or not at all, and never over one that has appeared in the meantime. */
async function write(folder: string, { path, content, added }: Change): Promise<void> {
  const target = join(folder, path);
  await makeFolder(dirname(target));
  if (added) return writeAtomically(target, content);
  try {
    await writeFile(target, content, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await rm(target, { force: true });
    throw cannotWrite(target, error);
  }
}

/** Reads a file; undefined if there is none. */
async function textOf(path: string): Promise<string | undefined> {
  requireStored(path);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cannotRead(path, error);
  }
}
