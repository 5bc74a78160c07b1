/**
 * From a folder of models to the folder of an image, doing only what has changed: nothing if neither models nor code have, and
 * neither profiling nor optimizing if the models are the same but for their weights.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { version as esbuild } from 'esbuild';

import { UserError } from '../../training/files/index.ts';
import { requireRunnable } from '../served/runnable.ts';
import { readModels } from '../store/registry.ts';
import type { BrokenModel, ModelFolder } from '../store/registry.ts';
import type { BuildImageOptions, BuiltImage, BuiltModel, OnStage } from './built.ts';
import { readIfThere, StageCache, writeWhole } from './cache.ts';
import type { Samples } from './cases/samples.ts';
import { declarations } from './declarations.ts';
import { emitImage, emitStock } from './emit.ts';
import type { EmittedFiles } from './emit.ts';
import { makeImage } from './image.ts';
import type { Ingredients, Recall } from './image.ts';
import { optimize } from './stages/optimize.ts';
import type { Models } from './runtime/index.ts';
import { gluePath, readStockModule, stockModulePath } from './stages/stock-module.ts';

/** Some models cannot be built. The message is the first one's. */
export class ModelsError extends UserError {
  readonly models: readonly BuiltModel[];

  constructor(models: readonly BuiltModel[]) {
    const [first = '', ...others] = models.flatMap(({ error }) => error ?? []);
    super(others.length > 0 ? `${first} (and ${others.length} more)` : first);
    this.models = models;
  }
}

export const defaultOut = '.bn-edge';

/**
 * Nothing is written where anything is thrown.
 * @throws UserError for what is wrong in the folder of models
 * @throws VerificationError if the image is not equal to stock
 */
export async function buildImage(options: BuildImageOptions): Promise<BuiltImage> {
  const { out = defaultOut, stock = false, trim = false, unoptimized = false, onStage = () => undefined } = options;
  const { models, broken, notes } = readModels(options.models);
  const code = await codeHash();
  const sha256 = contentHash(models, { code, stock, trim, unoptimized });
  const before = await readStamp(out);
  if (broken.length === 0 && before?.sha256 === sha256) return { ...before.built, upToDate: true, out, notes };
  await checkModels(options.models, models, broken, onStage);
  // Before the work: a folder that cannot be written is no reason to wait for it.
  await mkdir(out, { recursive: true });
  const cache = new StageCache(join(out, '.cache'), code);
  const making = (recall: Recall) => makeSpecialised(models, { trim, unoptimized, onStage, recall });
  const { files, built } = await (stock ? makeStock(models) : cache.use(making));
  if (!stock) await cache.prune();
  const stamp = { sha256, files: Object.keys(files), built: { ...built, stock, bytes: sizesOf(files) } };
  await writeFiles(out, files, stamp);
  return { ...stamp.built, upToDate: false, out, notes };
}

interface Made {
  readonly files: EmittedFiles;
  readonly built: Pick<BuiltImage, 'models' | 'functions' | 'unguessed'>;
}

async function makeStock(models: readonly ModelFolder[]): Promise<Made> {
  const files = await emitStock(await readStockModule(), sessionFiles(models), aboutAll(models));
  return {
    files,
    built: { models: models.map((model) => describe(model, Object.values(model.files), 0)), unguessed: [] },
  };
}

type Making = Pick<Ingredients, 'trim' | 'recall' | 'onStage'> & { readonly unoptimized: boolean };

async function makeSpecialised(
  models: readonly ModelFolder[],
  { unoptimized, recall, ...making }: Making,
): Promise<Made> {
  const shrink = (module: Uint8Array) => recall('optimize', [module], () => optimize(module));
  const image = await makeImage({
    ...making,
    recall,
    stock: await readStockModule(),
    models: sessionFiles(models),
    samples: samplesOf(models),
    optimize: unoptimized ? (module) => Promise.resolve(module) : shrink,
  });
  const described = models.map((model) => {
    const sessions = Object.keys(model.files).map((file) => sessionName(model, file));
    const cases = sessions.reduce((sum, session) => sum + (image.verified[session] ?? 0), 0);
    return describe(
      model,
      sessions.flatMap((session) => image.shares[session] ?? []),
      cases,
    );
  });
  return {
    files: await emitImage(image, aboutAll(models)),
    built: { models: described, functions: image.functions, unguessed: image.unknown },
  };
}

/** @throws ModelsError where the runtime lacks an operator of a model, or refuses it for another reason */
async function checkModels(
  folder: string,
  models: readonly ModelFolder[],
  broken: readonly BrokenModel[],
  onStage: OnStage,
): Promise<void> {
  const checked: BuiltModel[] = broken.map((model) => ({ ...unbuilt, ...model }));
  for (const model of models) {
    onStage('check', model.about.path);
    try {
      for (const [file, bytes] of Object.entries(model.files))
        await requireRunnable(join(folder, model.about.path, `${file}.onnx`), bytes);
      checked.push(describe(model, [], 0));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      checked.push({ ...describe(model, [], 0), ok: false, error: error.message });
    }
  }
  if (checked.some(({ ok }) => !ok)) throw new ModelsError(checked);
}

const unbuilt = { version: '', gzipBytes: 0, twin: false, cases: 0, ok: false } as const;

/** @param parts what the image holds for the model's sake, beside what its module says of it */
function describe({ about, files }: ModelFolder, parts: readonly Uint8Array[], cases: number): BuiltModel {
  const { name, path, version } = about;
  const gzipBytes = [...parts, JSON.stringify(about)].reduce((sum, part) => sum + gzipSync(part).length, 0);
  return { name, path, version, gzipBytes, twin: 'switchable' in files, cases, ok: true };
}

const sessionName = ({ about }: ModelFolder, file: string): string => `${about.path}/${file}`;

const aboutAll = (models: readonly ModelFolder[]) => models.map(({ about }) => about);

/** The ONNX files by the names of their sessions. */
function sessionFiles(models: readonly ModelFolder[]): Models {
  const entries = models.flatMap((model) =>
    Object.entries(model.files).map(([file, bytes]) => [sessionName(model, file), bytes] as const),
  );
  return Object.fromEntries(entries);
}

function samplesOf(models: readonly ModelFolder[]): Samples {
  return Object.fromEntries(
    models.flatMap((model) => (model.samples ? [[sessionName(model, 'model'), model.samples]] : [])),
  );
}

function sizesOf(files: EmittedFiles): BuiltImage['bytes'] {
  const [wasm, module] = ['image.wasm', 'image.mjs'].map((name) => Buffer.from(files[name] ?? ''));
  if (!wasm || !module) throw new Error('internal: expected an image of two files');
  return { wasm: wasm.length, module: module.length, gzip: gzipSync(wasm).length + gzipSync(module).length };
}

/** Stands for the version of the optimizer. */
const binaryenPath = createRequire(import.meta.url).resolve('binaryen/package.json');

/** Of everything but models and options that the files depend on: this code, and the packages it works with. */
async function codeHash(): Promise<string> {
  const hash = createHash('sha256')
    .update(esbuild)
    .update(await declarations());
  const folder = dirname(fileURLToPath(import.meta.url));
  const sources = (await readdir(folder, { recursive: true })).filter((path) => /\.[jt]s$/.test(path)).sort();
  const files = [...sources.map((path) => join(folder, path)), stockModulePath, gluePath, binaryenPath];
  for (const path of files) hash.update(await readFile(path));
  return hash.digest('hex');
}

function contentHash(models: readonly ModelFolder[], rest: Readonly<Record<string, unknown>>): string {
  const hash = createHash('sha256').update(JSON.stringify(rest));
  for (const { about, files, samples } of models) {
    hash.update(JSON.stringify([about, Object.keys(files), samples?.shape]));
    for (const bytes of [...Object.values(files), ...(samples ? [samples.data] : [])]) hash.update(bytes);
  }
  return hash.digest('hex');
}

/** What a folder was built from, and what came of it. */
interface Stamp {
  readonly sha256: string;
  readonly files: readonly string[];
  readonly built: Omit<BuiltImage, 'upToDate' | 'out' | 'notes'>;
}

const stampFile = 'built.json';

/** @returns undefined unless the folder is complete */
async function readStamp(folder: string): Promise<Stamp | undefined> {
  const text = await readIfThere(join(folder, stampFile));
  if (!text) return undefined;
  const stamp = JSON.parse(text.toString()) as Stamp;
  return stamp.files.every((file) => existsSync(join(folder, file))) ? stamp : undefined;
}

/** The stamp vouches for the others, so it goes first and comes last. */
async function writeFiles(folder: string, files: EmittedFiles, stamp: Stamp): Promise<void> {
  await mkdir(folder, { recursive: true });
  await rm(join(folder, stampFile), { force: true });
  for (const [name, content] of Object.entries(files)) await writeWhole(join(folder, name), content);
  await removeStockModels(folder, files);
  await writeWhole(join(folder, stampFile), JSON.stringify(stamp));
}

/** The model files that the stock runtime needed beside it. */
async function removeStockModels(folder: string, files: EmittedFiles): Promise<void> {
  const others = (await readdir(folder)).filter((name) => /^model-\d+\.bin$/.test(name) && !(name in files));
  await Promise.all(others.map((name) => rm(join(folder, name))));
}
