/** A folder of models, as a user may have left it. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../training/files/index.ts';
import { isModelName } from './model-name.ts';
import { isBeingWritten } from './replace-folder.ts';

/**
 * The names of the models in a folder, sorted; files beside their folders are ignored.
 * @throws UserError, which says what to do, for no folder, none in it, one that is no model's, and a model beside them
 */
export function modelNames(models: string): readonly string[] {
  if (!statSync(models, { throwIfNoEntry: false })?.isDirectory()) {
    throw refuse(models, 'a folder of models', 'none', `${makesOne}, --models names another folder`);
  }
  const entries = readdirSync(models, { withFileTypes: true });
  const loose = entries.find((entry) => entry.isFile() && entry.name.toLowerCase().endsWith('.onnx'));
  if (loose) {
    const path = join(models, loose.name);
    throw refuse(
      path,
      'a folder with model.onnx',
      'a file',
      `bn-edge add ${path} makes the folder; then remove the file`,
    );
  }
  const folders = entries.filter((entry) => entry.isDirectory() && !isBeingWritten(entry.name)).map(({ name }) => name);
  const wrong = folders.find((name) => !isModelName(name));
  if (wrong !== undefined) {
    const wanted = "the name of a model (letters, digits, '.', '_' and '-')";
    throw refuse(join(models, wrong), wanted, JSON.stringify(wrong), 'rename the folder or move it elsewhere');
  }
  if (folders.length === 0) throw refuse(models, 'a model', 'none', makesOne);
  return folders.sort();
}

const refuse = (where: string, expected: string, got: string, help: string): UserError =>
  new UserError(`${where}: expected ${expected}, got ${got}; ${help}`);

const makesOne = 'bn-edge export runs/<run> or bn-edge add <file> makes one';
