/** A folder of models, as a user may have left it: notebooks and file managers leave things beside the models. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../training/files/index.ts';
import { isModelName } from './model-name.ts';
import { isBeingWritten } from './replace-folder.ts';

export interface ModelsFolder {
  /** Of the models, sorted. */
  readonly names: readonly string[];
  /** A line for each thing that was passed over and might have been meant: files beside the models, and hidden folders. */
  readonly notes: readonly string[];
}

/** @throws UserError, which says what to do, for no folder, none in it, and one that is no model's */
export function lookAt(models: string): ModelsFolder {
  if (!isFolder(models)) {
    throw refuse(models, 'a folder of models', 'none', `${makesOne}, --models names another folder`);
  }
  const names = foldersIn(models);
  const notes = readdirSync(models)
    .sort()
    .filter((name) => !names.includes(name) && !isLeft(models, name))
    .map((name) => noteOn(join(models, name)));
  if (names.length > 0) return { names, notes };
  const [loose] = notes.filter((note) => note.includes(addsIt));
  throw loose === undefined ? refuse(models, 'a model', 'none', makesOne) : new UserError(loose);
}

export const modelNames = (models: string): readonly string[] => lookAt(models).names;

/** The versions beside the current one of a model, in its folder. @throws UserError for a folder that is none */
export const versionNames = (folder: string): readonly string[] => {
  const versions = join(folder, 'versions');
  return isFolder(versions) ? foldersIn(versions) : [];
};

/** @throws UserError for a folder with a name that cannot be served */
function foldersIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.') && isFolder(join(folder, name)));
  const wrong = names.find((name) => !isModelName(name));
  if (wrong === undefined) return names.sort();
  const wanted = "the name of a model or version (letters, digits, '.', '_' and '-')";
  throw refuse(join(folder, wrong), wanted, JSON.stringify(wrong), 'rename the folder or move it elsewhere');
}

/** What nobody would take for a model: hidden files, and a model that is about to change places with another. */
const isLeft = (folder: string, name: string): boolean =>
  isBeingWritten(name) || (name.startsWith('.') && !isFolder(join(folder, name)));

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function noteOn(path: string): string {
  if (path.toLowerCase().endsWith('.onnx')) return `${path}: expected it in a folder of its own: ${addsIt} ${path}`;
  return `${path}: passed over: a model is a folder with a model.onnx`;
}

const refuse = (where: string, expected: string, got: string, help: string): UserError =>
  new UserError(`${where}: expected ${expected}, got ${got}; ${help}`);

const addsIt = 'bn-edge add';
const makesOne = `bn-edge export runs/<run> or ${addsIt} <file> makes one`;
