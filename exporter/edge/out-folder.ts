/**
 * The folder that a build writes into. It holds nothing but an image: a build never writes among a user's files, and
 * the hashes in `built.json` show whether the files that it wrote earlier are still there unchanged.
 */
import { hash } from 'node:crypto';
import { readdir, realpath, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import * as z from 'zod';
import {
  cannotRead,
  check,
  makeFolder,
  quote,
  removeTemporaries,
  unexpected,
  UserError,
  writeAtomically,
} from '../../training/files/index.ts';
import type { BuiltImage, BuiltModel } from './built.ts';
import { readIfThere } from './cache.ts';
import type { EmittedFiles } from './emitted-files.ts';
import { lockFile, newestFile, stampFile } from './one-for-all.ts';

export const cacheFolder = '.cache';
/** Names the module that says why a later build failed, while the image goes on answering. */
export const failureFile = 'build-error.mjs';

/** Demands a schema of every member, since a member without one would be lost when the stamp is read. */
type SchemasOf<T, Left extends keyof T> = { readonly [Member in Exclude<keyof T, Left>]-?: z.ZodType };

const builtModel = z.object({
  name: z.string(),
  path: z.string(),
  version: z.string(),
  gzipBytes: z.number(),
  twin: z.boolean(),
  monitored: z.literal(true).exactOptional(),
  weights: z
    .object({
      type: z.enum(['float32', 'float16', 'int8']),
      largestDifference: z.number(),
      relativeDifference: z.number(),
      samples: z.number(),
      changedClasses: z.number().exactOptional(),
    })
    .exactOptional(),
  engine: z.enum(['compiled', 'onnxruntime']),
  engineReason: z.string().exactOptional(),
  cases: z.number(),
  ok: z.boolean(),
} satisfies SchemasOf<BuiltModel, 'error'>);

/** Describes what a folder was built from, the result, and the files that were written. */
const stampSchema = z.object({
  format: z.literal('bn-edge image'),
  /** `sha256` is the hash of models, options and code; empty during the first build. */
  sha256: z.string(),
  /** `files` maps file names to the hashes of their contents. */
  files: z.record(z.string(), z.string()),
  built: z
    .object({
      stock: z.boolean(),
      models: z.array(builtModel).readonly(),
      leftOut: z.array(z.object({ path: z.string(), error: z.string() })).readonly(),
      unguessed: z.array(z.string()).readonly(),
      bytes: z.object({
        wasm: z.number(),
        module: z.number(),
        weights: z.number(),
        assets: z.number(),
        gzip: z.number(),
      }),
      functions: z.object({ kept: z.number(), stock: z.number() }).exactOptional(),
      fusion: z.union([z.object({ sums: z.number() }), z.object({ reason: z.string() })]).exactOptional(),
    } satisfies SchemasOf<BuiltImage, 'upToDate' | 'out' | 'notes'>)
    .exactOptional(),
});

export type Stamp = Readonly<z.output<typeof stampSchema>>;
export type Built = NonNullable<Stamp['built']>;

/** @throws UserError if the folder holds anything else than an image, or is not apart from the folder of models */
export async function requireOutFolder(out: string, models: string): Promise<void> {
  if (out === '') throw unexpected('--out', 'a folder', '""');
  const [target, source] = await Promise.all([real(resolve(out)), real(resolve(models))]);
  if (isWithin(target, source) || isWithin(source, target)) {
    throw unexpected(`--out ${out}`, `a folder apart from the models in ${models}`, whatIs(target, source));
  }
  const names = await entriesOf(out);
  const [foreign] = names.filter((name) => !ours.test(name));
  const isMarked = names.some((name) => name === stampFile || name === 'image.mjs');
  const isOurs = foreign === undefined && (isMarked || names.every((name) => name === cacheFolder));
  if (names.length === 0 || isOurs || (await readStamp(out)) !== undefined) return;
  const found = foreign ?? names[0] ?? '';
  throw unexpected(`--out ${out}`, 'an empty folder, or one that bn-edge build has made', `one with ${quote(found)}`);
}

/** Matches the names of files that a build may have written. */
const ours =
  /^(image\.(mjs|wasm|d\.mts)|predict\.mjs|wasm\.[a-z]+\.mjs|build-error\.mjs|package\.json|\.gitignore|built\.json|\.cache|(model|weights)-\d+\.bin|assets|(image|program-\d+)\.wat|(whole|program-\d+)\.wasm|.+\.part|\..+\.tmp)$/;
/** Lists the names of files that do not show whose folder it is. */
const nobodys = new Set([lockFile, newestFile, '.DS_Store', 'Thumbs.db']);

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => !nobodys.has(name)).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') throw unexpected(`--out ${folder}`, 'a folder', 'a file');
    throw cannotRead(folder, error);
  }
}

/** Resolves symbolic links in the part of the path that exists. */
async function real(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(await real(above), basename(path));
  }
}

const isWithin = (path: string, folder: string): boolean => {
  const inside = relative(folder, path);
  return !/^\.\.([/\\]|$)/.test(inside) && !isAbsolute(inside);
};

const whatIs = (target: string, source: string): string =>
  target === source ? 'that one' : isWithin(source, target) ? 'one that they are in' : 'one among them';

/** @returns undefined if there is no stamp, or none that can be read */
export async function readStamp(folder: string): Promise<Stamp | undefined> {
  const text = await readIfThere(join(folder, stampFile));
  if (!text) return undefined;
  try {
    const stamp = check(stampSchema, JSON.parse(text.toString()));
    return typeof stamp === 'string' ? undefined : stamp.value;
  } catch {
    return undefined;
  }
}

/** Is true if every file is there as it was written. */
async function isIntact(folder: string, { files }: Stamp): Promise<boolean> {
  for (const [name, sha256] of Object.entries(files)) {
    const content = await readIfThere(join(folder, name));
    if (!content || hashOf(content) !== sha256) return false;
  }
  return true;
}

/**
 * Writes into the image why a later build failed, or that it did not. `built.json` does not vouch for that file.
 *
 * @returns true if there is an image that can go on answering
 */
export async function recordFailure(folder: string, error: string | undefined): Promise<boolean> {
  const stamp = await readStamp(folder);
  if (!stamp?.built || !(await isIntact(folder, stamp))) return false;
  const [path, content] = [join(folder, failureFile), failureModule(error)];
  if ((await readIfThere(path))?.toString() !== content) await writeAtomically(path, content);
  return true;
}

const failureModule = (error: string | undefined): string =>
  `export default ${error === undefined ? 'undefined' : JSON.stringify(error)};\n`;

/** Marks a new folder as a build's own, whatever becomes of the build. */
export async function claim(folder: string): Promise<void> {
  await removeTemporaries(folder);
  if ((await readStamp(folder)) === undefined)
    await writeStamp(folder, { format: 'bn-edge image', sha256: '', files: {} });
}

/** Writes the files of an image. The stamp vouches for the others, so it comes last. */
export async function writeImage(folder: string, files: EmittedFiles, sha256: string, built: Built): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await makeFolder(dirname(join(folder, name)));
    await writeAtomically(join(folder, name), content);
  }
  const hashes = Object.entries(files).map(([name, content]) => [name, hashOf(content)] as const);
  await writeAtomically(join(folder, failureFile), failureModule(undefined));
  await removeOthers(folder, files);
  await writeStamp(folder, { format: 'bn-edge image', sha256, files: Object.fromEntries(hashes), built });
}

async function writeStamp(folder: string, stamp: Stamp): Promise<void> {
  try {
    await writeAtomically(join(folder, stampFile), JSON.stringify(stamp));
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`--out: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Removes the files that the image before had and this one has not, and those that a killed build has left. */
async function removeOthers(folder: string, files: EmittedFiles): Promise<void> {
  const others = (await readdir(folder)).filter(
    (name) =>
      /^((model|weights)-\d+\.bin|(image|program-\d+)\.wat|(whole|program-\d+)\.wasm|predict\.mjs|.+\.part)$/.test(
        name,
      ) && !(name in files),
  );
  await Promise.all(others.map((name) => rm(join(folder, name), { force: true, recursive: true })));
  const assets = join('assets', 'weights');
  const former = (await readdir(join(folder, assets)).catch(() => [])).filter(
    (name) => !(`assets/weights/${name}` in files),
  );
  await Promise.all(former.map((name) => rm(join(folder, assets, name), { force: true })));
}

const hashOf = (content: string | Uint8Array): string => hash('sha256', content);
