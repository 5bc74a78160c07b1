/** Lists a folder of models as a user may have left it: notebooks and file managers leave things beside the models. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { quote, UserError } from '../../training/files/index.ts';
import { isModelName } from './model-name.ts';
import { isFormerFolder } from './pending.ts';
import { replacedBy } from './replace-folder.ts';

export interface ModelsFolder {
  /** The names of the models, sorted. */
  readonly names: readonly string[];
  /** Folders whose names cannot be served. */
  readonly misnamed: readonly Misnamed[];
  /**
   * Holds a line for each thing that was skipped and might have been meant: files beside the models, and hidden
   * folders.
   */
  readonly notes: readonly string[];
}

export interface Misnamed {
  readonly name: string;
  /** `error` is one line that says how to resolve it. */
  readonly error: string;
}

/**
 * Lists a folder of models.
 *
 * @throws UserError, which says how to resolve it, if there is no such folder or no model in it
 */
export function listModels(models: string): ModelsFolder {
  if (models === '') throw refuse('--models', 'a folder of models', '""', makesOne);
  if (!isFolder(models)) {
    const got = existsSync(models) ? 'a file' : 'none';
    throw refuse(models, 'a folder of models', got, `${makesOne}, --models names another folder`);
  }
  const { names, misnamed } = foldersIn(models);
  const known = new Set([...names, ...misnamed.map(({ name }) => name)]);
  const notes = readdirSync(models)
    .sort()
    .filter((name) => !known.has(name) && !isHidden(models, name))
    .map((name) => noteOn(models, name));
  if (known.size > 0) return { names, misnamed, notes };
  const [loose] = notes.filter((note) => note.includes(addsIt));
  throw loose === undefined ? refuse(models, 'a model', 'none', makesOne) : new UserError(loose);
}

/** @throws UserError as `listModels`, and for a folder with a name that cannot be served */
export const modelNames = (models: string): readonly string[] => wellNamed(listModels(models));

/**
 * Does the same for a folder that need not exist.
 *
 * @throws UserError for a folder with a name that cannot be served
 */
export const modelNamesIfAny = (models: string): readonly string[] =>
  isFolder(models) ? wellNamed(foldersIn(models)) : [];

function wellNamed({ names, misnamed: [wrong] }: Pick<ModelsFolder, 'names' | 'misnamed'>): readonly string[] {
  if (wrong) throw new UserError(wrong.error);
  return names;
}

const modelFile = 'model.onnx';

/** Returns the name of a folder's model: any, if there is only one, otherwise `model.onnx`, even if there is none. */
export const modelFileIn = (folder: string): string => modelFileAmong(namesIn(folder));

/** Does the same for a folder of which only the names in it are given. */
export function modelFileAmong(names: Iterable<string>): string {
  const [only, ...others] = onnxFilesAmong(names);
  return only !== undefined && others.length === 0 ? only : modelFile;
}

export const onnxFilesIn = (folder: string): readonly string[] => onnxFilesAmong(namesIn(folder));

/** Lists the ONNX files, or `model.onnx` alone if it is there. */
function onnxFilesAmong(all: Iterable<string>): readonly string[] {
  const names = [...all].filter((name) => /^[^./][^/]*\.onnx$/i.test(name));
  return names.includes(modelFile) ? [modelFile] : names.sort();
}

const namesIn = (folder: string): readonly string[] => (isFolder(folder) ? readdirSync(folder) : []);

/** Lists the versions of a model, in its folder, beside the current one. */
export function versionNames(folder: string): Pick<ModelsFolder, 'names' | 'misnamed'> {
  const versions = join(folder, 'versions');
  return isFolder(versions) ? foldersIn(versions) : { names: [], misnamed: [] };
}

function foldersIn(folder: string): Pick<ModelsFolder, 'names' | 'misnamed'> {
  const all = readdirSync(folder).filter((name) => !name.startsWith('.') && isFolder(join(folder, name)));
  const wanted = "the name of a model or version (letters, digits, '.', '_' and '-')";
  const misnamed = all
    .filter((name) => !isModelName(name))
    .sort()
    .map((name) => ({
      name,
      error: refuse(join(folder, name), wanted, quote(name), 'rename the folder or move it elsewhere').message,
    }));
  return { names: all.filter(isModelName).sort(), misnamed };
}

/** Is true for names that cannot be meant as models: hidden files, and folders that a release takes care of. */
const isHidden = (folder: string, name: string): boolean =>
  name.startsWith('.') && (isFormerFolder(name) || !isFolder(join(folder, name)));

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function noteOn(models: string, name: string): string {
  const path = join(models, name);
  if (name.toLowerCase().endsWith('.onnx')) return `${path}: expected it in a folder of its own: ${addsIt} ${path}`;
  const replaced = replacedBy(name);
  if (replaced !== undefined) {
    return `${path}: skipped: it was to replace ${join(models, replaced)}; if no command is running there, its old/ and new/ hold the files, and it may be removed`;
  }
  return `${path}: skipped: a model is a folder with a ${modelFile}`;
}

const refuse = (where: string, expected: string, got: string, help: string): UserError =>
  new UserError(`${where}: expected ${expected}, got ${got}; ${help}`);

const addsIt = 'bn-edge add';
const makesOne = `bn-edge export runs/<run> or ${addsIt} <file> makes one`;
