/**
 * Makes the files of an image from a folder of models: programs of the models that can be compiled, and a specialised
 * runtime for the others. Or, if asked to, the stock runtime for all of them.
 */

import { typedModels } from '../typed/folder.ts';
import type { ModelFolder } from '../store/registry.ts';
import type { BuiltImage, BuiltModel } from './built.ts';
import { describeModel, sessionName, sessionNames } from './built-model.ts';
import { nothingPinned, freeName } from './cases/feeds.ts';
import type { Samples } from './cases/samples.ts';
import type { KnownSizes } from './cases/sizes.ts';
import { emitImage, emitStock } from './emit.ts';
import type { Programs } from './emit.ts';
import type { EmittedFiles } from './emitted-files.ts';
import { chooseEngines } from './engine.ts';
import type { Chosen, CompiledModel } from './engine.ts';
import { makeImage } from './image.ts';
import type { EdgeImage } from './image.ts';
import type { Ingredients } from './ingredients.ts';
import type { RoundedFolder } from './round-by-card.ts';
import type { Models } from './runtime/index.ts';
import { optimize } from './stages/optimize.ts';
import { readStockModule } from './stages/stock-module.ts';

/** The files of an image, and what the report of the build says of it. */
export interface MadeImage {
  readonly files: EmittedFiles;
  readonly built: Pick<BuiltImage, 'models' | 'functions' | 'fusion' | 'unguessed'>;
}

export async function makeStock(models: readonly ModelFolder[]): Promise<MadeImage> {
  const files = await emitStock(
    await readStockModule(),
    sessionFiles(models),
    models.map(({ about }) => about),
    typedModels(models),
  );
  return {
    files,
    built: { models: models.map((model) => describeModel(model, Object.values(model.files), 0)), unguessed: [] },
  };
}

/** Options of making an image that do not depend on its models. */
export type MakeOptions = Pick<Ingredients, 'trim' | 'recall' | 'onStage'> & {
  readonly folder: string;
  readonly fma: boolean;
  readonly emitWat: boolean;
  readonly unoptimized: boolean;
};

/** Makes programs of the models that can be compiled, and a specialised runtime for the others, if there are any. */
export async function makeSpecialised(models: readonly RoundedFolder[], options: MakeOptions): Promise<MadeImage> {
  const engines = await chooseEngines(models, options);
  const interpreted = models.flatMap((model) => withoutProgram(model, engines.get(model)));
  const image = interpreted.length > 0 ? await specialise(interpreted, options) : undefined;
  const measured = models.map((model) => ({
    ...model,
    about: { ...model.about, ...foundShapes(model, image?.sizes ?? {}) },
  }));
  const inAssets = apartOf(interpreted).inAssets.map((model) => ({
    path: model.about.path,
    sessions: sessionNames(model),
  }));
  return {
    files: await emitImage(
      image,
      programsOf(engines),
      measured.map(({ about }) => about),
      typedModels(measured),
      { emitWat: options.emitWat, inAssets },
    ),
    built: {
      models: models.map((model) => describeMade(model, engines.get(model), partsOf(image, interpreted, model))),
      ...(image && { functions: image.functions }),
      ...(image?.fusion && { fusion: image.fusion }),
      unguessed: image?.unknown ?? [],
    },
  };
}

/** Maps sessions to the programs that run them. */
function programsOf(engines: ReadonlyMap<RoundedFolder, Chosen>): Programs {
  const entries = [...engines].flatMap(([model, chosen]) => {
    if (!isProgram(chosen)) return [];
    const { watched } = chosen;
    return [
      [sessionName(model, 'model'), chosen] as const,
      ...(watched ? [[sessionName(model, 'watched'), watched] as const] : []),
    ];
  });
  return Object.fromEntries(entries);
}

const isProgram = (chosen: Chosen): chosen is CompiledModel => chosen !== undefined && 'wasm' in chosen;

/** The parts of an image that are there for one model, and the number of its cases that were compared. */
interface Parts {
  readonly bytes: readonly Uint8Array[];
  readonly cases: number;
}

function describeMade(model: RoundedFolder, chosen: Chosen, { bytes, cases }: Parts): BuiltModel {
  if (!isProgram(chosen)) {
    return { ...describeModel(model, bytes, cases), ...(chosen && { engineReason: chosen.reason }) };
  }
  const programs = [chosen, ...(chosen.watched ? [chosen.watched] : [])];
  const compared = programs.reduce((sum, program) => sum + program.cases, cases);
  const described = describeModel(model, [...bytes, ...programs.map(({ wasm }) => wasm)], compared);
  return { ...described, engine: 'compiled' };
}

/**
 * Returns the model with only those of its files that still need ONNX Runtime: none, if the program covers them all.
 */
function withoutProgram(model: RoundedFolder, chosen: Chosen): readonly RoundedFolder[] {
  if (!isProgram(chosen)) return [model];
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
  { unoptimized, recall, trim, fma, onStage }: MakeOptions,
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

/** @param models the models that ONNX Runtime runs */
function partsOf(image: EdgeImage | undefined, models: readonly RoundedFolder[], model: RoundedFolder): Parts {
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
  const [{ named } = nothingPinned] = sizes[sessionName(model, 'model')]?.alternatives ?? [];
  const found = model.ports.inputs.flatMap(({ name, dims = [] }) => {
    const shape = dims.map((size, axis) => {
      const free = freeName(name, size === '' ? -1 : size, axis);
      if (free === undefined) return Number(size);
      return (Object.hasOwn(named, free) ? named[free] : undefined) ?? -1;
    });
    return shape.some((size, axis) => size > 0 && size !== dims[axis]) ? [[name, shape] as const] : [];
  });
  return found.length > 0 ? { shapes: Object.fromEntries(found) } : {};
}

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
