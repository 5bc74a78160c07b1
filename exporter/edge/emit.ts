/** Emits the files of an image: `image.mjs`, whose sessions are ready to run, `image.wasm`, and what surrounds them. */

import { at } from '../../training/arrays/index.ts';
import type { ModelAbout } from '../../worker/image.ts';
import type { TypedModel } from '../typed/model.ts';
import { bundle } from './bundle.ts';
import { callsOf } from './calls.ts';
import { programFiles, weightFiles } from './emitted-files.ts';
import type { EmittedFiles, InAssets } from './emitted-files.ts';
import type { EdgeImage } from './image.ts';
import { imageModule, startOfImage, startOfPrograms, startOfStock } from './image-module.ts';
import { surroundings } from './loaders.ts';
import type { Models, ProgramRecord } from './runtime/index.ts';

/** Maps the names of sessions to compiled models. */
export type Programs = Readonly<
  Record<string, { readonly wasm: Uint8Array; readonly wat: string; readonly record: ProgramRecord }>
>;

export interface EmitOptions {
  /** `inAssets` lists the models whose weights are the last files in `stored`. */
  readonly inAssets?: readonly InAssets[];
  /** Writes the texts of the programs, too. */
  readonly emitWat?: boolean;
}

/**
 * Emits an image of the models that ONNX Runtime runs and of those that are compiled.
 *
 * @param image absent if all models are compiled; the first program is `image.wasm` then
 * @param typed models that a program can call as functions
 */
export async function emitImage(
  image: Pick<EdgeImage, 'wasm' | 'whole' | 'stored' | 'manifest'> | undefined,
  programs: Programs,
  about: readonly ModelAbout[],
  typed: readonly TypedModel[],
  { inAssets = [], emitWat = false }: EmitOptions = {},
): Promise<EmittedFiles> {
  const calls = await callsOf(typed);
  const compiled = Object.values(programs);
  const [first, ...others] = [...(image ? [image.wasm] : []), ...compiled.map(({ wasm }) => wasm)];
  if (!first) throw new Error('internal: expected a model');
  const beside = programFiles(others);
  const modules = [...beside, ...(image?.whole ? [['whole.wasm', image.whole] as const] : [])];
  const names = [...(image ? [] : ['image.wasm']), ...beside.map(([name]) => name)];
  const texts = compiled.map(({ wat }, i) => [at(names, i).replace('.wasm', '.wat'), wat] as const);
  const weights = weightFiles(image?.stored ?? [], inAssets);
  const records = Object.fromEntries(Object.entries(programs).map(([name, { record }]) => [name, record]));
  const start = image ? startOfImage({ manifest: image.manifest, ...weights }, records) : startOfPrograms(records);
  const files = [...weights.own, ...modules, ...(emitWat ? texts : []), ...weights.assets];
  return {
    'image.mjs': await bundle(imageModule(about, calls, start), 'unshared'),
    'image.wasm': first,
    ...Object.fromEntries<string | Uint8Array>(files),
    ...(await surroundings(calls, namesOf(weights.own), namesOf(modules))),
  };
}

/** Emits the same interface on the stock runtime, which parses the models and creates their sessions at every start. */
export async function emitStock(
  stock: Uint8Array,
  models: Models,
  about: readonly ModelAbout[],
  typed: readonly TypedModel[],
): Promise<EmittedFiles> {
  const calls = await callsOf(typed);
  const beside = Object.values(models).map((file, i) => [`model-${i}.bin`, file] as const);
  return {
    'image.mjs': await bundle(imageModule(about, calls, startOfStock(models)), 'shared'),
    'image.wasm': stock,
    ...Object.fromEntries(beside),
    ...(await surroundings(calls, namesOf(beside))),
  };
}

const namesOf = (files: readonly (readonly [name: string, content: unknown])[]): readonly string[] =>
  files.map(([name]) => name);
