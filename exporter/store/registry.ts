/**
 * Reads a folder of models: the files that the edge image is built from, and what its module says of each model.
 *
 *     <models>/<name>/model.onnx            required: from bn-edge or from anywhere else; any name if it is the only one
 *     <models>/<name>/card.json             optional: see card.ts
 *     <models>/<name>/samples.npz           optional: real inputs to verify the image with, see samples.ts
 *     <models>/<name>/versions/<version>/   optional: another version, the same files
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cannotRead, oneLine, quote, unexpected, UserError } from '../../training/files/index.ts';
import type { ModelAbout, Monitored } from '../../worker/image.ts';
import { withExternalData } from '../served/external-data.ts';
import type { Ports } from '../served/ports.ts';
import { type Prepared, prepareModel } from '../served/prepare.ts';
import type { WeightPlace, WeightType } from '../served/round-weights.ts';
import { cardFile, emptyCard, type Engine, type ModelCard, parseCard } from './card.ts';
import { contradictions, type ReadFile } from './contract.ts';
import { listModels, modelFileIn, onnxFilesIn, versionNames } from './models-folder.ts';
import { pictureOfModel } from './picture.ts';
import { aboutReading } from './reading.ts';
import { readSamples, samplesFile, type SampleArray } from './samples.ts';

export interface ModelFolder {
  /** The path of the ONNX file. */
  readonly file: string;
  /** The description of the model in the image's module. */
  readonly about: ModelAbout;
  /**
   * Holds the ONNX files that the edge image is made of: the model's, its switchable twin if the card asks for it, and
   * the watched network.
   */
  readonly files: { readonly model: Uint8Array; readonly switchable?: Uint8Array; readonly watched?: Uint8Array };
  /** The inputs and outputs of the file, and the sizes that it leaves free. */
  readonly ports: Ports & Pick<Prepared, 'sizes'>;
  readonly samples?: SampleArray;
  /** Maps inputs to the shapes that the card states. */
  readonly stated: Readonly<Record<string, readonly number[]>>;
  /** The type in which the weights are to be stored; in `files` they are not rounded yet. */
  readonly weights: WeightType;
  readonly weightsIn: WeightPlace;
  /** The program that is to run the model. Default: ONNX Runtime. */
  readonly engine: Engine;
}

/** A folder that is not a model, or not one that can be served. One line says why. */
export interface BrokenModel extends Pick<ModelAbout, 'name' | 'path'> {
  readonly version?: string;
  readonly error: string;
}

export interface Models {
  /** Sorted by name, each followed by its other versions. */
  readonly models: readonly ModelFolder[];
  readonly broken: readonly BrokenModel[];
  /** `notes` lists what was skipped (see models-folder.ts). */
  readonly notes: readonly string[];
}

/**
 * Reads every model in a folder. A model with an error does not keep the others from being read.
 *
 * @throws UserError if there is no folder of models, or no model in it
 */
export function readModels(folder: string): Models {
  const { names, misnamed, notes } = listModels(folder);
  const found = names.flatMap((name) => {
    const current = attempt(name, name, () => readModel(folder, name, name));
    const { names: versions, misnamed } = versionNames(join(folder, name));
    const version = 'about' in current ? current.about.version : undefined;
    return [
      current,
      ...versions.map((kept) => readVersion(folder, name, kept, version)),
      ...misnamed.map((one) => ({ ...one, path: `${name}/versions/${one.name}`, name })),
    ];
  });
  const models = found.filter((model) => 'about' in model);
  return {
    models,
    broken: [...found.filter((model) => 'error' in model), ...misnamed.map((one) => ({ ...one, path: one.name }))],
    notes: [...notes, ...models.flatMap(({ about }) => remarksOn(folder, about))],
  };
}

const remarksOn = (folder: string, { path, remarks = [] }: ModelAbout): readonly string[] =>
  remarks.map((remark) => `${join(folder, path)}: ${remark}`);

/** Returns the model, or the error that its user can resolve. */
function attempt(name: string, path: string, read: () => ModelFolder): ModelFolder | BrokenModel {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) return { name, path, error: error.message };
    throw error;
  }
}

function readVersion(
  folder: string,
  name: string,
  version: string,
  current: string | undefined,
): ModelFolder | BrokenModel {
  const path = `${name}/versions/${version}`;
  return attempt(name, path, () => {
    const model = readModel(folder, name, path);
    const card = join(folder, path, cardFile);
    if (model.about.version !== version) throw unexpected(`${card}: version`, version, model.about.version);
    if (version === current) throw unexpected(join(folder, path), 'a version besides the current one', 'it again');
    return model;
  });
}

/** @throws UserError for a model, a card or samples that cannot be served, or that contradict each other */
function readModel(models: string, name: string, path: string): ModelFolder {
  const folder = join(models, path);
  const read = reader(folder);
  const onnx = modelFileIn(folder);
  const [file, content] = [join(folder, onnx), read(onnx)];
  if (!content) throw unexpected(folder, 'a file model.onnx', gotInPlaceOf(folder, name));
  const [where, written] = [join(folder, cardFile), read(cardFile)];
  const card = written ? parseCard(where, written) : emptyCard;
  const { explain, labels, inputs = [], monitor } = card;
  const prepared = prepareModel(
    file,
    withExternalData(file, content),
    explain,
    card.batchNorm,
    labels?.length,
    monitor,
  );
  const output = card.output ?? prepared.output;
  const stated = { ...card, ...(output && { output }) };
  const objections = contradictions(stated, prepared, read);
  if (objections.length > 0) throw new UserError(oneLine(`${where}: ${objections.join('; ')}`));
  const samples = readSamples(join(folder, samplesFile), read(samplesFile));
  const { model, switchable, watched } = prepared;
  return {
    file,
    about: { name, path, ...aboutModel(stated, prepared) },
    files: { model, ...(switchable && { switchable }), ...(watched && { watched }) },
    ports: { inputs: prepared.inputs, outputs: prepared.outputs, sizes: prepared.sizes },
    ...(samples && { samples }),
    stated: Object.fromEntries(inputs.flatMap(({ name, shape }) => (shape ? [[name, shape] as const] : []))),
    weights: card.weights ?? 'float32',
    weightsIn: card.weightsIn ?? 'script',
    engine: card.engine ?? 'onnxruntime',
  };
}

/** Returns what the image's module says of a model, beside its name. */
function aboutModel(card: ModelCard, prepared: Prepared): Omit<ModelAbout, 'name' | 'path'> {
  const { version, description, labels, output, explain, unknown, inputs = [] } = card;
  const { batchNorm, ofBatch, remarks, noTwin, watching } = prepared;
  const columns = inputs.flatMap((input) => (input.columns ? [[input.name, input.columns] as const] : []));
  const unwatched = watching?.noLayers;
  const others = [...remarks, ...(unwatched === undefined ? [] : [`no Batch Norm layers are watched: ${unwatched}`])];
  const picture = pictureOfModel(inputs, prepared);
  return {
    version,
    ...(description !== undefined && { description }),
    ...(labels && { labels }),
    ...(output && { output }),
    explain,
    ...(watching && { monitor: { ...watching, ...expectedBy(card) } }),
    ...(picture && { picture }),
    ...(columns.length > 0 && { columns: Object.fromEntries(columns) }),
    ...(unknown && { unknown }),
    ...aboutReading(card),
    batchNorm,
    ...(ofBatch && { ofBatch }),
    ...(others.length > 0 && { remarks: others }),
    ...(noTwin !== undefined && { noTwin }),
  };
}

/** Returns how columns and classes were spread in training. */
function expectedBy({ reference = [], training }: ModelCard): Pick<Monitored, 'columns' | 'classes'> {
  const { classShares: shares, train: samples } = training?.data ?? {};
  return { columns: reference, ...(shares && samples !== undefined && { classes: { shares, samples } }) };
}

function gotInPlaceOf(folder: string, name: string): string {
  const others = onnxFilesIn(folder);
  if (others.includes(modelFileIn(folder))) return 'a link to a file that is not there';
  if (others.length > 0) return `${others.map(quote).join(', ')}: rename the one that is meant`;
  return `none; bn-edge add ${name}.onnx makes such a folder`;
}

/**
 * Returns a function that reads files of a folder, each once.
 *
 * @throws UserError for a file that exists and cannot be read
 */
function reader(folder: string): ReadFile {
  const known = new Map<string, Uint8Array | undefined>();
  const read = (name: string): Uint8Array | undefined => {
    const path = join(folder, name);
    // A card may only name files beside it.
    if (basename(name) !== name || !existsSync(path)) return undefined;
    try {
      return readFileSync(path);
    } catch (error) {
      throw cannotRead(path, error);
    }
  };
  return (name) => {
    if (!known.has(name)) known.set(name, read(name));
    return known.get(name);
  };
}
