/**
 * Builds the folder of an image from a folder of models, and does only what has changed: nothing if neither models nor
 * code have changed, and neither profiling nor optimizing if only the weights of the models have.
 */

import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { version as esbuild } from 'esbuild';

import { makeFolder, oneLine, unexpected, UserError } from '../../training/files/index.ts';
import type { Port } from '../served/ports.ts';
import { randomAnswers, requireRunnable, tryModel } from '../served/runnable.ts';
import { cardFile } from '../store/card.ts';
import { labelCount } from '../store/contract.ts';
import { readModels } from '../store/registry.ts';
import type { ModelFolder, Models as FoundModels } from '../store/registry.ts';
import type { BuildImageOptions, BuiltImage, BuiltModel, OnStage } from './built.ts';
import { StageCache } from './cache.ts';
import { anyWay, freeName } from './cases/feeds.ts';
import type { Samples } from './cases/samples.ts';
import type { KnownSizes } from './cases/sizes.ts';
import { VerificationError } from './cases/verify.ts';
import { typedModels } from '../typed/folder.ts';
import { declarations } from './declarations.ts';
import { emitImage, emitStock, isAsset, isModule, isWeights } from './emit.ts';
import type { EmittedFiles } from './emit.ts';
import { chooseEngines } from './engine.ts';
import type { Chosen } from './engine.ts';
import { makeImage } from './image.ts';
import type { EdgeImage, Ingredients, Recall } from './image.ts';
import { withLock } from '../../training/process/index.ts';
import { lockFile } from './one-for-all.ts';
import { cacheFolder, claim, readStamp, requireOutFolder, tellFailure, writeImage } from './out-folder.ts';
import { requireRelaxedSimd } from './stages/fuse.ts';
import { optimize } from './stages/optimize.ts';
import { isApart, roundedAsAsked } from './rounding.ts';
import type { RoundedFolder } from './rounding.ts';
import type { Models } from './runtime/index.ts';
import { gluePath, readStockModule, stockModulePath } from './stages/stock-module.ts';

/** Thrown if some models cannot be built. The message is the first model's. */
export class ModelsError extends UserError {
  readonly models: readonly BuiltModel[];

  constructor(models: readonly BuiltModel[]) {
    const [first = '', ...others] = models.flatMap(({ error }) => error ?? []);
    super(others.length > 0 ? `${first} (and ${others.length} more)` : first);
    this.models = models;
  }
}

const defaultOut = '.bn-edge';

/** Names the stage of a build that waits for another one to end. */
export const waiting = 'wait for another build';

/**
 * Builds the image. Writes no image if anything throws. Builds into the same folder run one after another.
 * @throws UserError if the folders cannot be used
 * @throws ModelsError if models cannot be built; it lists each model with its error
 */
export async function buildImage(options: BuildImageOptions): Promise<BuiltImage> {
  const { models, out = defaultOut, onStage = () => undefined } = options;
  await requireOutFolder(out, models);
  if (options.fma && !options.stock) requireRelaxedSimd();
  const first = await look(options, out);
  if (first.standing) return first.standing;
  // The check comes before the folder is made, so that models that cannot be built leave no trace.
  const bad = await checkModels(first, options, onStage);
  await makeFolder(out);
  return withLock(
    join(out, lockFile),
    async (hasWaited) => {
      const now = hasWaited ? await look(options, out) : first;
      if (now.standing) return now.standing;
      return make(options, out, now, now === first ? bad : await checkModels(now, options, onStage));
    },
    () => {
      onStage(waiting);
    },
  );
}

/** Describes what there is to build, and what is built already. */
interface Looked extends FoundModels {
  readonly code: string;
  readonly sha256: string;
  /** `standing` is the image that is in the folder already, if it was built from the same models, code and options. */
  readonly standing?: BuiltImage;
}

async function look(options: BuildImageOptions, out: string): Promise<Looked> {
  const { stock = false, trim = false, unoptimized = false, skipBad = false } = options;
  const { fma = false, emitWat = false } = options;
  const [found, code, stamp] = [readModels(options.models), await codeHash(), await readStamp(out)];
  const isWhole = found.broken.length === 0;
  const sha256 = contentHash(found.models, {
    code,
    stock,
    trim,
    fma,
    emitWat,
    unoptimized,
    ...(!isWhole && { broken: found.broken }),
  });
  const isStanding =
    (isWhole || skipBad) &&
    stamp?.sha256 === sha256 &&
    (skipBad || stamp.built?.leftOut.length === 0) &&
    (await tellFailure(out, undefined));
  const standing = isStanding && stamp.built && { ...stamp.built, upToDate: true, out, notes: found.notes };
  return { ...found, code, sha256, ...(standing && { standing }) };
}

/**
 * Builds the image of all models but the bad ones, and writes it.
 *
 * @param bad models to leave out
 */
async function make(
  options: BuildImageOptions,
  out: string,
  looked: Looked,
  bad: readonly BuiltModel[],
): Promise<BuiltImage> {
  const { notes, code, sha256 } = looked;
  const { stock = false, trim = false, fma = false, unoptimized = false, skipBad = false } = options;
  const { emitWat = false, onStage = () => undefined } = options;
  const asked = looked.models.filter(({ about }) => !isLeftOut(about, bad));
  await claim(out);
  const cache = new StageCache(join(out, cacheFolder), code);
  const models = await roundAll(options.models, asked, onStage);
  const making = (rounded: readonly RoundedFolder[]) => (recall: Recall) =>
    makeSpecialised(rounded, { folder: options.models, fma, emitWat, trim, unoptimized, onStage, recall });
  const made =
    models instanceof ModelsError
      ? models
      : await (stock ? makeStock(models) : cache.use(making(models))).catch((error: unknown) =>
          blamed(error, models, { folder: options.models, fma, onStage }),
        );
  if (made instanceof Error) {
    if (!skipBad || !(made instanceof ModelsError)) throw made;
    return make(options, out, looked, leaving([...made.models, ...bad]));
  }
  if (!stock) await cache.prune();
  const { files, built } = made;
  const leftOut = bad.map(({ path, error = '' }) => ({ path, error }));
  const stamp = { ...built, stock, leftOut, bytes: sizesOf(files) };
  await writeImage(out, files, sha256, stamp);
  return { ...stamp, upToDate: false, out, notes };
}

/**
 * Is true if the model or its current version is bad: without its current version, nothing answers under a model's
 * name.
 */
const isLeftOut = ({ name, path }: Pick<BuiltModel, 'name' | 'path'>, bad: readonly BuiltModel[]): boolean =>
  bad.some((one) => one.path === path || one.path === name);

/**
 * Rounds the weights of all models as their cards ask.
 *
 * @returns an error if the weights of a model cannot be rounded
 */
async function roundAll(
  folder: string,
  models: readonly ModelFolder[],
  onStage: OnStage,
): Promise<readonly RoundedFolder[] | ModelsError> {
  const rounded: RoundedFolder[] = [];
  const tried: BuiltModel[] = [];
  for (const model of models) {
    if (isApart(model)) onStage('round', model.about.path);
    const error = await reasonAgainst(async () => rounded.push(await roundedAsAsked(folder, model)));
    tried.push({ ...describe(model, [], 0), ...(error !== undefined && { ok: false, error }) });
  }
  return rounded.length < models.length ? new ModelsError(sorted(tried)) : rounded;
}

interface Made {
  readonly files: EmittedFiles;
  readonly built: Pick<BuiltImage, 'models' | 'functions' | 'fusion' | 'unguessed'>;
}

async function makeStock(models: readonly ModelFolder[]): Promise<Made> {
  const files = await emitStock(await readStockModule(), sessionFiles(models), aboutAll(models), typedModels(models));
  return {
    files,
    built: { models: models.map((model) => describe(model, Object.values(model.files), 0)), unguessed: [] },
  };
}

type Making = Pick<Ingredients, 'trim' | 'recall' | 'onStage'> & {
  readonly folder: string;
  readonly fma: boolean;
  readonly emitWat: boolean;
  readonly unoptimized: boolean;
};

/** Makes programs of the models that can be compiled, and a specialised runtime for the others, if there are any. */
async function makeSpecialised(models: readonly RoundedFolder[], making: Making): Promise<Made> {
  const engines = await chooseEngines(models, making);
  const compiled = models.flatMap((model) => {
    const chosen = engines.get(model);
    return chosen && 'wasm' in chosen ? [[model, chosen] as const] : [];
  });
  const interpreted = models.flatMap((model) => withoutProgram(model, engines.get(model)));
  const image = interpreted.length > 0 ? await specialise(interpreted, making) : undefined;
  const programs = Object.fromEntries(
    compiled.flatMap(([model, program]) => [
      [sessionName(model, 'model'), program] as const,
      ...(program.watched ? [[sessionName(model, 'watched'), program.watched] as const] : []),
    ]),
  );
  const described = models.map((model) => {
    const parts = partsOf(image, interpreted, model);
    const chosen = engines.get(model);
    if (!chosen) return describe(model, parts.bytes, parts.cases);
    if ('reason' in chosen) return { ...describe(model, parts.bytes, parts.cases), engineReason: chosen.reason };
    const { watched } = chosen;
    const programs = [chosen.wasm, ...(watched ? [watched.wasm] : [])];
    const whole = describe(model, [...parts.bytes, ...programs], parts.cases + chosen.cases + (watched?.cases ?? 0));
    return { ...whole, engine: 'compiled' as const };
  });
  const measured = models.map((model) => ({
    ...model,
    about: { ...model.about, ...foundShapes(model, image?.sizes ?? {}) },
  }));
  return {
    files: await emitImage(
      image,
      programs,
      measured.map(({ about }) => about),
      typedModels(measured),
      {
        ...making,
        inAssets: apartOf(interpreted).inAssets.map((model) => ({
          path: model.about.path,
          sessions: sessionNames(model),
        })),
      },
    ),
    built: {
      models: described,
      ...(image && { functions: image.functions }),
      ...(image?.fusion && { fusion: image.fusion }),
      unguessed: image?.unknown ?? [],
    },
  };
}

/**
 * Returns the model with only those of its files that still need ONNX Runtime: none, if the program covers them all.
 */
function withoutProgram(model: RoundedFolder, chosen: Chosen): readonly RoundedFolder[] {
  if (!chosen || 'reason' in chosen) return [model];
  const { switchable } = model.files;
  return switchable ? [{ ...model, files: { switchable } as RoundedFolder['files'] }] : [];
}

/** Lists the models whose weights lie beside the module. Those with weights in static assets come last. */
function apartOf(models: readonly RoundedFolder[]): Readonly<Record<'all' | 'inAssets', readonly RoundedFolder[]>> {
  const apart = models.filter(({ stored }) => stored.length > 0);
  const inAssets = apart.filter(({ weightsIn }) => weightsIn === 'assets');
  return { all: [...apart.filter((model) => !inAssets.includes(model)), ...inAssets], inAssets };
}

async function specialise(
  models: readonly RoundedFolder[],
  { unoptimized, recall, trim, fma, onStage }: Making,
): Promise<EdgeImage> {
  const shrink = (module: Uint8Array) => recall('optimize', [module], () => optimize(module));
  return makeImage({
    trim,
    fma,
    onStage,
    recall,
    stock: await readStockModule(),
    models: sessionFiles(models),
    samples: samplesOf(models),
    stated: statedIn(models),
    apart: apartOf(models).all.map((model) => ({ sessions: sessionNames(model), weights: model.stored })),
    optimize: unoptimized ? (module) => Promise.resolve(module) : shrink,
  });
}

/** Returns the parts of the image that are there for one model, and the number of its cases that were compared. */
function partsOf(
  image: EdgeImage | undefined,
  models: readonly RoundedFolder[],
  model: RoundedFolder,
): { readonly bytes: readonly Uint8Array[]; readonly cases: number } {
  const own = models.find(({ about }) => about.path === model.about.path);
  if (!image || !own) return { bytes: [], cases: 0 };
  const sessions = sessionNames(own);
  const stored = image.stored[apartOf(models).all.indexOf(own)];
  return {
    bytes: [...sessions.flatMap((session) => image.shares[session] ?? []), ...(stored ? [stored] : [])],
    cases: sessions.reduce((sum, session) => sum + (image.verified[session] ?? 0), 0),
  };
}

/** Returns the shapes of the inputs for which trials found that some open sizes are fixed. */
function foundShapes(model: ModelFolder, sizes: KnownSizes): Pick<ModelFolder['about'], 'shapes'> {
  const [{ named } = anyWay] = sizes[sessionName(model, 'model')]?.ways ?? [];
  const found = model.ports.inputs.flatMap(({ name, dims = [] }) => {
    const shape = dims.map((size, axis) => {
      const free = freeName(name, size === '' ? -1 : size, axis);
      return free === undefined ? Number(size) : ((Object.hasOwn(named, free) ? named[free] : undefined) ?? -1);
    });
    return shape.some((size, axis) => size > 0 && size !== dims[axis]) ? [[name, shape] as const] : [];
  });
  return found.length > 0 ? { shapes: Object.fromEntries(found) } : {};
}

/**
 * Checks every model by itself.
 *
 * @returns the models to leave out
 * @throws ModelsError if models may not be left out and any is broken, refused by the runtime, or answers with random
 *   numbers
 */
async function checkModels(
  { models, broken }: FoundModels,
  { stock = false, skipBad = false }: BuildImageOptions,
  onStage: OnStage,
): Promise<readonly BuiltModel[]> {
  const checked: BuiltModel[] = [];
  for (const model of models) {
    onStage('check', model.about.path);
    const error = await reasonAgainst(() => checkModel(model, stock));
    checked.push({ ...describe(model, [], 0), ...(error !== undefined && { ok: false, error }) });
  }
  const all = [...checked, ...broken.map((model) => ({ ...unbuilt, ...model }))];
  if (skipBad) return leaving(all);
  refuse(all);
  return [];
}

async function checkModel({ file, about, files, ports, stated }: ModelFolder, stock: boolean): Promise<void> {
  const inputs = ports.inputs.map((port) => sizedAs(port, new Map(Object.entries(stated)).get(port.name)));
  const { shapes, drawsNumbers } = await tryModel(file, files.model, inputs, ports.sizes);
  if (files.switchable) await requireRunnable(`${file} (explain)`, files.switchable);
  if (files.watched) await requireRunnable(`${file} (monitor)`, files.watched);
  if (drawsNumbers && !stock) throw unexpected(file, ...randomAnswers);
  // Trials found the size of an output that the file leaves open.
  const found = shapes?.get(about.output?.name ?? '');
  const [objection] = labelCount(about.labels, about.output, found && [-1, ...found.slice(1)]);
  if (objection !== undefined) throw new UserError(`${join(dirname(file), cardFile)}: ${objection}`);
}

/** Fills in the free sizes that the card states; none if the numbers of dimensions differ. */
const sizedAs = (port: Port, stated: readonly number[] | undefined): Port =>
  port.dims?.length !== stated?.length
    ? port
    : {
        ...port,
        dims: port.dims?.map((size, axis) => (typeof size === 'string' ? saidOr(size, stated?.[axis]) : size)),
      };

const saidOr = (size: string, said = -1): number | string => (said > 0 ? said : size);

async function reasonAgainst(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

const sorted = (models: readonly BuiltModel[]): readonly BuiltModel[] =>
  [...models].sort((a, b) => (a.path < b.path ? -1 : 1));

/** @throws ModelsError if a model is not ok */
function refuse(models: readonly BuiltModel[]): void {
  if (models.some(({ ok }) => !ok)) throw new ModelsError(sorted(models));
}

/**
 * @returns the models that are not ok
 * @throws ModelsError if no other model would be left
 */
function leaving(models: readonly BuiltModel[]): readonly BuiltModel[] {
  const bad = sorted(models.filter(({ ok }) => !ok));
  if (models.every((model) => isLeftOut(model, bad))) throw new ModelsError(sorted(models));
  return bad;
}

/**
 * Finds the models that are to blame for a failed build by building each alone.
 *
 * @returns the error itself if each model alone can be built
 */
async function blamed(
  error: unknown,
  models: readonly RoundedFolder[],
  { folder, fma, onStage }: Pick<Making, 'folder' | 'fma' | 'onStage'>,
): Promise<Error> {
  const reasons: BuiltModel[] = [];
  for (const model of models) {
    const reason = models.length === 1 ? error : await failureOf(model, { folder, fma, onStage });
    const described = describe(model, [], 0);
    reasons.push(reason === undefined ? described : { ...described, ok: false, error: explain(model.file, reason) });
  }
  if (reasons.some(({ ok }) => !ok)) return new ModelsError(reasons);
  return error instanceof Error ? error : new Error(String(error), { cause: error });
}

async function failureOf(
  model: RoundedFolder,
  { folder, fma, onStage }: Pick<Making, 'folder' | 'fma' | 'onStage'>,
): Promise<unknown> {
  const recall: Recall = (_what, _inputs, make) => make();
  try {
    await makeSpecialised([model], { folder, fma, emitWat: false, trim: false, unoptimized: true, onStage, recall });
    return undefined;
  } catch (error) {
    return error;
  }
}

function explain(file: string, error: unknown): string {
  if (error instanceof UserError) return error.message;
  if (error instanceof VerificationError) {
    return oneLine(
      `${file}: expected the same from the image as from the stock runtime, got other: ${error.difference}`,
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return oneLine(
    `${file}: no image can be made of it: ${reason} (EDGE_RUNTIME=stock deploys the stock runtime instead)`,
  );
}

const unbuilt = { version: '', gzipBytes: 0, twin: false, engine: 'onnxruntime', cases: 0, ok: false } as const;

const sessionNames = (model: ModelFolder): readonly string[] =>
  Object.keys(model.files).map((file) => sessionName(model, file));

/**
 * Describes a model for the build's report.
 *
 * @param parts what the image holds for this model, apart from the model's entry in `image.mjs`
 */
function describe({ about, files }: ModelFolder, parts: readonly Uint8Array[], cases: number): BuiltModel {
  const { name, path, version } = about;
  const gzipBytes = [...parts, JSON.stringify(about)].reduce((sum, part) => sum + gzipSync(part).length, 0);
  const rounded = about.weights && { weights: about.weights };
  return {
    name,
    path,
    version,
    gzipBytes,
    twin: 'switchable' in files,
    ...(about.monitor && { monitored: true }),
    ...rounded,
    engine: 'onnxruntime',
    cases,
    ok: true,
  };
}

const sessionName = ({ about }: ModelFolder, file: string): string => `${about.path}/${file}`;

const aboutAll = (models: readonly ModelFolder[]) => models.map(({ about }) => about);

/** Maps the names of sessions to their ONNX files. */
function sessionFiles(models: readonly ModelFolder[]): Models {
  const entries = models.flatMap((model) =>
    Object.entries(model.files).map(([file, bytes]) => [sessionName(model, file), bytes] as const),
  );
  return Object.fromEntries(entries);
}

const statedIn = (models: readonly ModelFolder[]): NonNullable<Ingredients['stated']> =>
  Object.fromEntries(models.flatMap((model) => sessionNames(model).map((session) => [session, model.stated])));

/** Lists the files whose inputs are the model's own, so that the model's samples fit them. */
const sampled = ['model', 'watched'] as const;

function samplesOf(models: readonly ModelFolder[]): Samples {
  return Object.fromEntries(
    models.flatMap((model) =>
      sampled.flatMap((file) =>
        model.samples && file in model.files ? [[sessionName(model, file), model.samples] as const] : [],
      ),
    ),
  );
}

function sizesOf(files: EmittedFiles): BuiltImage['bytes'] {
  const contents = Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) }));
  const [wasm, module, weights] = [isModule, (name: string) => name === 'image.mjs', isWeights].map((isMeant) =>
    contents.filter(({ name }) => isMeant(name)),
  ) as [typeof contents, typeof contents, typeof contents];
  const bytes = (some: typeof contents): number => some.reduce((sum, { content }) => sum + content.length, 0);
  return {
    assets: bytes(contents.filter(({ name }) => isAsset(name))),
    wasm: bytes(wasm),
    module: bytes(module),
    weights: bytes(weights),
    gzip: [...wasm, ...module, ...weights].reduce((sum, { content }) => sum + gzipSync(content).length, 0),
  };
}

/** The path of its package.json stands for the version of the optimizer. */
const binaryenPath = createRequire(import.meta.url).resolve('binaryen/package.json');

/**
 * Lists the folders that the files of an image are made from: this one, the compiler, the types of calls, and the
 * Worker's code that answers calls.
 */
const codeFolders = [
  '.',
  '../typed',
  ...['predict', 'rows', 'protocol', 'http'].map((room) => `../../worker/${room}`),
  ...['columns', 'pictures', 'compile', 'program'].map((room) => `../../training/${room}`),
].map((folder) => join(dirname(fileURLToPath(import.meta.url)), folder));

async function sourcesIn(folder: string): Promise<readonly string[]> {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => /\.[jt]s$/.test(path));
  return paths.sort().map((path) => join(folder, path));
}

/**
 * Hashes everything but models and options that the files of an image depend on: this code and the packages that it
 * uses.
 */
async function codeHash(): Promise<string> {
  const hash = createHash('sha256')
    .update(esbuild)
    .update(await declarations());
  const sources = (await Promise.all(codeFolders.map(sourcesIn))).flat();
  const files = [...sources, stockModulePath, gluePath, binaryenPath];
  for (const path of files) hash.update(await readFile(path));
  return hash.digest('hex');
}

function contentHash(models: readonly ModelFolder[], rest: Readonly<Record<string, unknown>>): string {
  const hash = createHash('sha256').update(JSON.stringify(rest));
  for (const { about, files, samples, stated, weights, weightsIn, engine } of models) {
    hash.update(JSON.stringify([about, Object.keys(files), samples?.shape, stated, weights, weightsIn, engine]));
    for (const bytes of [...Object.values(files), ...(samples ? [samples.data] : [])]) hash.update(bytes);
  }
  return hash.digest('hex');
}
