/** Hashes all that the files of an image depend on. A build whose hash is that of the image in its folder does nothing. */

import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { version as esbuild } from 'esbuild';

import { siblingModule } from '../../training/files/index.ts';
import type { ModelFolder } from '../store/registry.ts';
import { declarations } from './declarations.ts';
import { gluePath, stockModulePath } from './stages/stock-module.ts';

/** The path of its package.json stands for the version of the optimizer. */
const binaryenPath = createRequire(import.meta.url).resolve('binaryen/package.json');

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * Lists the folders whose code makes the files of an image: the stages, the types of calls, the rounding of weights,
 * the compiler with the graphs that it reads and the optimizations before it, and the Worker's code that answers calls.
 * Folders that only read or describe models are missing, since their results are hashed with the models.
 */
export const codeFolders: readonly string[] = [
  ...['edge', 'served', 'typed'].map((room) => `exporter/${room}`),
  ...['answers', 'arrays', 'backend', 'columns', 'compile', 'graph', 'lowering', 'pictures', 'program'].map(
    (room) => `training/${room}`,
  ),
  ...['http', 'predict', 'protocol', 'rows'].map((room) => `worker/${room}`),
];

/** Lists the files outside of these folders whose code is in the files of an image, without their extensions. */
export const codeFiles: readonly string[] = ['worker/errors'];

async function sourcesIn(room: string): Promise<readonly string[]> {
  const folder = join(root, room);
  const paths = (await readdir(folder, { recursive: true })).filter((path) => /\.[jt]s$/.test(path));
  return paths.sort().map((path) => join(folder, path));
}

/**
 * Hashes everything but models and options that the files of an image depend on: this code and the packages that it
 * uses.
 */
export async function codeHash(): Promise<string> {
  const hash = createHash('sha256')
    .update(esbuild)
    .update(await declarations());
  const sources = (await Promise.all(codeFolders.map(sourcesIn))).flat();
  const single = codeFiles.map((file) => fileURLToPath(siblingModule(import.meta.url, `../../${file}`)));
  const files = [...sources, ...single, stockModulePath, gluePath, binaryenPath];
  for (const path of files) hash.update(await readFile(path));
  return hash.digest('hex');
}

/** @param rest what the files depend on beside the models, the code among it */
export function contentHash(models: readonly ModelFolder[], rest: Readonly<Record<string, unknown>>): string {
  const hash = createHash('sha256').update(JSON.stringify(rest));
  for (const { about, files, samples, stated, weights, weightsIn, engine } of models) {
    hash.update(JSON.stringify([about, Object.keys(files), samples?.shape, stated, weights, weightsIn, engine]));
    for (const bytes of [...Object.values(files), ...(samples ? [samples.data] : [])]) hash.update(bytes);
  }
  return hash.digest('hex');
}
