/** A folder of models, as a user may have left it: notebooks and file managers leave things beside the models. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { quote, UserError } from '../../training/files/index.ts';
import { isModelName } from './model-name.ts';
import { isFormerFolder } from './pending.ts';
import { replacedBy } from './replace-folder.ts';

export interface ModelsFolder {
  /** Of the models, sorted. */
  readonly names: readonly string[];
  /** Folders whose names cannot be served. */
  readonly misnamed: readonly Misnamed[];
  /** A line for each thing that was passed over and might have been meant: files beside the models, and hidden folders. */
  readonly notes: readonly string[];
}

export interface Misnamed {
  readonly name: string;
  /** One line that says what to do. */
  readonly error: string;
}

/** @throws UserError, which says what to do, for no folder, and none in it */
export function lookAt(models: string): ModelsFolder {
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

/** @throws UserError as `lookAt`, and for a folder with a name that cannot be served */
export const modelNames = (models: string): readonly string[] => wellNamed(lookAt(models));

/** The same where there may be none yet. @throws UserError for a folder with a name that cannot be served */
export const modelNamesIfAny = (models: string): readonly string[] =>
  isFolder(models) ? wellNamed(foldersIn(models)) : [];

function wellNamed({ names, misnamed: [wrong] }: Pick<ModelsFolder, 'names' | 'misnamed'>): readonly string[] {
  if (wrong) throw new UserError(wrong.error);
  return names;
}

const modelFile = 'model.onnx';

/** The name of a folder's model, which may be any where it is the only one; `model.onnx` where there is none. */
export const modelFileIn = (folder: string): string => modelFileAmong(namesIn(folder));

/** The same of a folder that is told by the names in it. */
export function modelFileAmong(names: Iterable<string>): string {
  const [only, ...others] = onnxFilesAmong(names);
  return only !== undefined && others.length === 0 ? only : modelFile;
}

export const onnxFilesIn = (folder: string): readonly string[] => onnxFilesAmong(namesIn(folder));

/** `model.onnx` alone where it is there. */
function onnxFilesAmong(all: Iterable<string>): readonly string[] {
  const names = [...all].filter((name) => /^[^./][^/]*\.onnx$/i.test(name));
  return names.includes(modelFile) ? [modelFile] : names.sort();
}

const namesIn = (folder: string): readonly string[] => (isFolder(folder) ? readdirSync(folder) : []);

/** The versions beside the current one of a model, in its folder. */
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

/** What nobody would take for a model: files, and what a release sees to. */
const isHidden = (folder: string, name: string): boolean =>
  name.startsWith('.') && (isFormerFolder(name) || !isFolder(join(folder, name)));

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function noteOn(models: string, name: string): string {
  const path = join(models, name);
  if (name.toLowerCase().endsWith('.onnx')) return `${path}: expected it in a folder of its own: ${addsIt} ${path}`;
  const replaced = replacedBy(name);
  if (replaced !== undefined) {
    return `${path}: passed over: what was being put in the place of ${join(models, replaced)}; if nothing is at work there, its old/ and new/ hold the files, and it may be removed`;
  }
  return `${path}: passed over: a model is a folder with a ${modelFile}`;
}

const refuse = (where: string, expected: string, got: string, help: string): UserError =>
  new UserError(`${where}: expected ${expected}, got ${got}; ${help}`);

const addsIt = 'bn-edge add';
const makesOne = `bn-edge export runs/<run> or ${addsIt} <file> makes one`;
