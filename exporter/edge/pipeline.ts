/**
 * From a folder of ONNX files to a folder of Worker files, doing only what has changed: nothing if neither models nor
 * code have, and neither profiling nor optimizing if the models are the same but for their weights.
 */

import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { version as esbuild } from 'esbuild';

import { readIfThere, StageCache, writeWhole } from './cache.ts';
import { emitImage, emitStock } from './emit.ts';
import type { EmittedFiles } from './emit.ts';
import { makeImage } from './image.ts';
import type { EdgeImage } from './image.ts';
import { readModels } from './models.ts';
import { optimize } from './stages/optimize.ts';
import type { Models } from './runtime/index.ts';
import { mnistSamples } from './cases/samples.ts';
import { gluePath, readStockModule, stockModulePath } from './stages/stock-module.ts';

export interface BuildOptions {
  readonly modelsFolder: string;
  readonly outFolder: string;
  /** Deploy the unmodified runtime instead. */
  readonly stock: boolean;
  readonly trim: boolean;
  /** Skip Binaryen, which takes longer than all the rest, where the size of the module does not matter. */
  readonly unoptimized?: boolean;
  readonly onStage: (stage: string) => void;
}

/** `image` is absent for the stock runtime and if everything was up to date. */
export interface Built {
  readonly upToDate: boolean;
  readonly models: Models;
  readonly image?: EdgeImage;
}

/** Stands for the version of the optimizer. */
const binaryenPath = createRequire(import.meta.url).resolve('binaryen/package.json');
const stampFile = 'edge.sha256';

/** @throws VerificationError if the image is not equal to stock; nothing is written then */
export async function buildEdge(options: BuildOptions): Promise<Built> {
  const { modelsFolder, outFolder, stock, trim, unoptimized, onStage } = options;
  const models = await readModels(modelsFolder);
  const code = await codeHash();
  const stamp = contentHash(code, models, { stock, trim, ...(unoptimized && { unoptimized }) });
  if ((await readIfThere(join(outFolder, stampFile)))?.toString() === stamp) return { upToDate: true, models };
  const stockModule = await readStockModule();
  if (stock) {
    await writeFiles(outFolder, { ...(await emitStock(stockModule, models)), [stampFile]: stamp });
    return { upToDate: false, models };
  }
  const samples = await mnistSamples();
  const image = await new StageCache(join(outFolder, '.cache'), code).use((recall) =>
    makeImage({
      stock: stockModule,
      models,
      samples,
      trim,
      optimize: (module) =>
        unoptimized ? Promise.resolve(module) : recall('optimize', [module], () => optimize(module)),
      recall,
      onStage,
    }),
  );
  await writeFiles(outFolder, { ...(await emitImage(image)), [stampFile]: stamp });
  await removeStockModels(outFolder);
  return { upToDate: false, models, image };
}

/** Of everything but models and options that the files depend on: this code, and the packages it works with. */
async function codeHash(): Promise<string> {
  const hash = createHash('sha256').update(esbuild);
  const folder = dirname(fileURLToPath(import.meta.url));
  const sources = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.ts')).sort();
  const files = [...sources.map((path) => join(folder, path)), stockModulePath, gluePath, binaryenPath];
  for (const path of files) hash.update(await readFile(path));
  return hash.digest('hex');
}

function contentHash(
  code: string,
  models: Models,
  options: Pick<BuildOptions, 'stock' | 'trim' | 'unoptimized'>,
): string {
  const hash = createHash('sha256').update(JSON.stringify({ ...options, code }));
  for (const [name, file] of Object.entries(models)) hash.update(`${name}\n`).update(file);
  return hash.digest('hex');
}

/** The model files that the stock runtime needed beside it. */
async function removeStockModels(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /^model-\d+\.bin$/.test(name));
  await Promise.all(names.map((name) => rm(join(folder, name))));
}

/** The last one is the stamp that vouches for the others. */
async function writeFiles(folder: string, files: EmittedFiles): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await writeWhole(join(folder, name), content);
  }
}
