/**
 * Reads a folder of models: what the image is built from and what its module says of each.
 *
 *     <models>/<name>/model.onnx            required: from this project or from anywhere else
 *     <models>/<name>/card.json             optional: see card.ts
 *     <models>/<name>/samples.npz           optional: real inputs to verify the image with, see samples.ts
 *     <models>/<name>/versions/<version>/   optional: another version, the same files
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unexpected } from '../../training/files/index.ts';
import type { ModelAbout } from '../../worker/image.ts';
import { withExternalData } from '../served/external-data.ts';
import { prepareModel } from '../served/prepare.ts';
import { cardFile, emptyCard, type ModelCard, parseCard } from './card.ts';
import { lookAt, versionNames } from './models-folder.ts';
import { readSamples, samplesFile, type SampleArray } from './samples.ts';

export interface ModelFolder {
  /** What the image's module says of it. */
  readonly about: ModelAbout;
  /** Contents of the ONNX files that the edge image is made of: the model's, and its switchable twin where the card wants it. */
  readonly files: { readonly model: Uint8Array; readonly switchable?: Uint8Array };
  readonly samples?: SampleArray;
}

export interface Models {
  /** Sorted by name, each followed by its other versions. */
  readonly models: readonly ModelFolder[];
  /** What was passed over (see models-folder.ts). */
  readonly notes: readonly string[];
}

/** @throws UserError where there is no model, or one has a name, a version, a card or tensors that cannot be served */
export function readModels(folder: string): Models {
  const { names, notes } = lookAt(folder);
  const models = names.flatMap((name) => {
    const current = readModel(folder, name, name);
    return [current, ...readVersions(folder, current.about)];
  });
  return { models, notes: [...notes, ...models.flatMap(({ about }) => remarksOn(folder, about))] };
}

const remarksOn = (folder: string, { path, remarks = [] }: ModelAbout): readonly string[] =>
  remarks.map((remark) => `${join(folder, path)}: ${remark}`);

function readVersions(folder: string, { name, version: current }: ModelAbout): ModelFolder[] {
  return versionNames(join(folder, name)).map((version) => {
    const path = `${name}/versions/${version}`;
    const model = readModel(folder, name, path);
    if (model.about.version !== version)
      throw unexpected(join(folder, path, cardFile), `version ${version}`, model.about.version);
    if (version === current) throw unexpected(join(folder, path), 'a version besides the current one', 'it again');
    return model;
  });
}

function readModel(models: string, name: string, path: string): ModelFolder {
  const folder = join(models, path);
  const file = join(folder, 'model.onnx');
  if (!existsSync(file))
    throw unexpected(folder, 'a file model.onnx', `none; bn-edge add ${name}.onnx makes such a folder`);
  const { version, description, labels, output: known, explain, batchNorm: use, inputs = [] } = cardIn(folder);
  const [picture] = inputs.flatMap((input) => input.picture ?? []);
  const columns = inputs.flatMap((input) => (input.columns ? [[input.name, input.columns] as const] : []));
  const prepared = prepareModel(file, withExternalData(file, readFileSync(file)), explain, use);
  const { model, batchNorm, ofBatch, remarks, noTwin, switchable, output: inferred } = prepared;
  const output = known ?? inferred;
  const samples = readSamples(join(folder, samplesFile));
  return {
    about: {
      name,
      path,
      version,
      ...(description !== undefined && { description }),
      ...(labels && { labels }),
      ...(output && { output }),
      explain,
      ...(picture && { picture }),
      ...(columns.length > 0 && { columns: Object.fromEntries(columns) }),
      batchNorm,
      ...(ofBatch && { ofBatch }),
      ...(remarks.length > 0 && { remarks }),
      ...(noTwin !== undefined && { noTwin }),
    },
    files: { model, ...(switchable && { switchable }) },
    ...(samples && { samples }),
  };
}

function cardIn(folder: string): ModelCard {
  const file = join(folder, cardFile);
  return existsSync(file) ? parseCard(file, readFileSync(file)) : emptyCard;
}
