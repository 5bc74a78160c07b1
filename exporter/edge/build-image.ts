/**
 * Builds the folder of an image from a folder of models, and does only what has changed: nothing if neither models nor
 * code have changed, and neither profiling nor optimizing if only the weights of the models have.
 */

import { join } from 'node:path';

import { makeFolder } from '../../training/files/index.ts';
import { withLock } from '../../training/process/index.ts';
import { readModels } from '../store/registry.ts';
import type { ModelFolder, Models as FoundModels } from '../store/registry.ts';
import { findCulprits, checkModels, isLeftOut, badAmong, ModelsError, reasonOf, sorted } from './bad-models.ts';
import { codeHash, contentHash } from './build-hash.ts';
import type { BuildImageOptions, BuiltImage, BuiltModel, OnStage } from './built.ts';
import { describeModel, sizesOf } from './built-model.ts';
import { StageCache } from './cache.ts';
import { lockFile } from './one-for-all.ts';
import { cacheFolder, claim, readStamp, requireOutFolder, recordFailure, writeImage } from './out-folder.ts';
import { isApart, roundedByCard } from './round-by-card.ts';
import type { RoundedFolder } from './round-by-card.ts';
import { makeSpecialised, makeStock } from './specialise.ts';
import type { MadeImage } from './specialise.ts';
import { requireRelaxedSimd } from './stages/fuse.ts';

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
  const first = await inspect(options, out);
  if (first.current) return first.current;
  // The check comes before the folder is made, so that models that cannot be built leave no trace.
  const bad = await checkModels(first, options, onStage);
  await makeFolder(out);
  return withLock(
    join(out, lockFile),
    async (hasWaited) => {
      const now = hasWaited ? await inspect(options, out) : first;
      if (now.current) return now.current;
      return buildAndWrite(options, out, now, now === first ? bad : await checkModels(now, options, onStage));
    },
    () => {
      onStage(waiting);
    },
  );
}

/** Describes what there is to build, and what is built already. */
interface Inspected extends FoundModels {
  readonly code: string;
  readonly sha256: string;
  /** `current` is the image that is in the folder already, if it was built from the same models, code and options. */
  readonly current?: BuiltImage;
}

async function inspect(options: BuildImageOptions, out: string): Promise<Inspected> {
  const { stock = false, trim = false, unoptimized = false, skipBad = false, fma = false, emitWat = false } = options;
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
  const isCurrent =
    (isWhole || skipBad) &&
    stamp?.sha256 === sha256 &&
    (skipBad || stamp.built?.leftOut.length === 0) &&
    (await recordFailure(out, undefined));
  const current = isCurrent && stamp.built && { ...stamp.built, upToDate: true, out, notes: found.notes };
  return { ...found, code, sha256, ...(current && { current }) };
}

/**
 * Builds the image of all models but the bad ones, and writes it.
 *
 * @param bad models to leave out
 */
async function buildAndWrite(
  options: BuildImageOptions,
  out: string,
  inspected: Inspected,
  bad: readonly BuiltModel[],
): Promise<BuiltImage> {
  const { stock = false, skipBad = false } = options;
  const { models, notes, code, sha256 } = inspected;
  await claim(out);
  const cache = new StageCache(join(out, cacheFolder), code);
  const made = await makeFiles(
    options,
    models.filter(({ about }) => !isLeftOut(about, bad)),
    cache,
  );
  if (made instanceof Error) {
    if (!skipBad || !(made instanceof ModelsError)) throw made;
    return buildAndWrite(options, out, inspected, badAmong([...made.models, ...bad]));
  }
  if (!stock) await cache.prune();
  const leftOut = bad.map(({ path, error = '' }) => ({ path, error }));
  const stamp = { ...made.built, stock, leftOut, bytes: sizesOf(made.files) };
  await writeImage(out, made.files, sha256, stamp);
  return { ...stamp, upToDate: false, out, notes };
}

/** @returns an error if the image cannot be made: a ModelsError if models are to blame */
async function makeFiles(
  options: BuildImageOptions,
  asked: readonly ModelFolder[],
  cache: StageCache,
): Promise<MadeImage | Error> {
  const { models: folder, stock = false, trim = false, fma = false, emitWat = false, unoptimized = false } = options;
  const { onStage = () => undefined } = options;
  const models = await roundAll(folder, asked, onStage);
  if (models instanceof ModelsError) return models;
  const makeOptions = { folder, fma, emitWat, trim, unoptimized, onStage };
  try {
    if (stock) return await makeStock(models);
    return await cache.use((recall) => makeSpecialised(models, { ...makeOptions, recall }));
  } catch (error) {
    return findCulprits(error, models, makeOptions);
  }
}

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
    const error = await reasonOf(async () => rounded.push(await roundedByCard(folder, model)));
    tried.push({ ...describeModel(model, [], 0), ...(error !== undefined && { ok: false, error }) });
  }
  return rounded.length < models.length ? new ModelsError(sorted(tried)) : rounded;
}
