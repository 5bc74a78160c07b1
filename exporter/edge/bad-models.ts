/**
 * Finds the models that cannot be built, so that the report names each of them, and the others can be built without
 * them.
 */

import { dirname, join } from 'node:path';

import { oneLine, unexpected, UserError } from '../../training/files/index.ts';
import type { Port } from '../served/ports.ts';
import { randomAnswers, requireRunnable, tryModel } from '../served/runnable.ts';
import { cardFile } from '../store/card.ts';
import { labelCount } from '../store/contract.ts';
import type { ModelFolder, Models as FoundModels } from '../store/registry.ts';
import type { BuildImageOptions, BuiltModel, OnStage } from './built.ts';
import { describeModel, unbuilt } from './built-model.ts';
import { VerificationError } from './cases/verify.ts';
import type { Recall } from './ingredients.ts';
import type { RoundedFolder } from './round-by-card.ts';
import { makeSpecialised } from './specialise.ts';
import type { MakeOptions } from './specialise.ts';

/** Thrown if some models cannot be built. The message is the first model's. */
export class ModelsError extends UserError {
  readonly models: readonly BuiltModel[];

  constructor(models: readonly BuiltModel[]) {
    const [first = '', ...others] = models.flatMap(({ error }) => error ?? []);
    super(others.length > 0 ? `${first} (and ${others.length} more)` : first);
    this.models = models;
  }
}

/**
 * Is true if the model or its current version is bad: without its current version, nothing answers under a model's
 * name.
 */
export const isLeftOut = ({ name, path }: Pick<BuiltModel, 'name' | 'path'>, bad: readonly BuiltModel[]): boolean =>
  bad.some((one) => one.path === path || one.path === name);

/**
 * Checks every model by itself.
 *
 * @returns the models to leave out
 * @throws ModelsError if models may not be left out and any is broken, refused by the runtime, or answers with random
 *   numbers
 */
export async function checkModels(
  { models, broken }: FoundModels,
  { stock = false, skipBad = false }: BuildImageOptions,
  onStage: OnStage,
): Promise<readonly BuiltModel[]> {
  const checked: BuiltModel[] = [];
  for (const model of models) {
    onStage('check', model.about.path);
    const error = await reasonOf(() => checkModel(model, stock));
    checked.push({ ...describeModel(model, [], 0), ...(error !== undefined && { ok: false, error }) });
  }
  const all = [...checked, ...broken.map((model) => ({ ...unbuilt, ...model }))];
  if (skipBad) return badAmong(all);
  requireOk(all);
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
        dims: port.dims?.map((size, axis) => (typeof size === 'string' ? statedOr(size, stated?.[axis]) : size)),
      };

const statedOr = (size: string, stated = -1): number | string => (stated > 0 ? stated : size);

/** @returns the message of the UserError that the work ends with; undefined if it does not fail */
export async function reasonOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

export const sorted = (models: readonly BuiltModel[]): readonly BuiltModel[] =>
  [...models].sort((a, b) => (a.path < b.path ? -1 : 1));

/** @throws ModelsError if a model is not ok */
function requireOk(models: readonly BuiltModel[]): void {
  if (models.some(({ ok }) => !ok)) throw new ModelsError(sorted(models));
}

/**
 * @returns the models that are not ok
 * @throws ModelsError if no other model would be left
 */
export function badAmong(models: readonly BuiltModel[]): readonly BuiltModel[] {
  const bad = sorted(models.filter(({ ok }) => !ok));
  if (models.every((model) => isLeftOut(model, bad))) throw new ModelsError(sorted(models));
  return bad;
}

/**
 * Finds the models that are to blame for a failed build by building each alone.
 *
 * @returns the error itself if each model alone can be built
 */
export async function findCulprits(
  error: unknown,
  models: readonly RoundedFolder[],
  { folder, fma, onStage }: Pick<MakeOptions, 'folder' | 'fma' | 'onStage'>,
): Promise<Error> {
  const reasons: BuiltModel[] = [];
  for (const model of models) {
    const reason = models.length === 1 ? error : await failureOf(model, { folder, fma, onStage });
    const described = describeModel(model, [], 0);
    reasons.push(
      reason === undefined ? described : { ...described, ok: false, error: explainFailure(model.file, reason) },
    );
  }
  if (reasons.some(({ ok }) => !ok)) return new ModelsError(reasons);
  return error instanceof Error ? error : new Error(String(error), { cause: error });
}

async function failureOf(
  model: RoundedFolder,
  { folder, fma, onStage }: Pick<MakeOptions, 'folder' | 'fma' | 'onStage'>,
): Promise<unknown> {
  const recall: Recall = (_what, _inputs, make) => make();
  try {
    await makeSpecialised([model], { folder, fma, emitWat: false, trim: false, unoptimized: true, onStage, recall });
    return undefined;
  } catch (error) {
    return error;
  }
}

function explainFailure(file: string, error: unknown): string {
  if (error instanceof UserError) return error.message;
  if (error instanceof VerificationError) {
    return oneLine(
      `${file}: expected the same from the image as from the stock runtime, got a difference: ${error.difference}`,
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return oneLine(
    `${file}: no image can be made of it: ${reason} (EDGE_RUNTIME=stock deploys the stock runtime instead)`,
  );
}
