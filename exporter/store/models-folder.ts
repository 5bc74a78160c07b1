/** A folder of models, as a user may have left it. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { unexpected, UserError } from '../../training/files/index.ts';
import { isModelName } from './model-name.ts';

/**
 * The names of the models in a folder, sorted; files beside their folders are ignored.
 * @throws UserError, which says what to do, for no folder, none in it, one that is no model's, and a model beside them
 */
export function modelNames(models: string): readonly string[] {
  if (!statSync(models, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UserError(
      `${models}: expected a folder of models, got none; ${howToMakeOne}, --models names another folder`,
    );
  }
  const entries = readdirSync(models, { withFileTypes: true });
  const loose = entries.find((entry) => entry.isFile() && entry.name.toLowerCase().endsWith('.onnx'));
  if (loose) {
    const path = join(models, loose.name);
    throw unexpected(path, `a folder with model.onnx (bn-edge add ${path} makes it; then remove the file)`, 'a file');
  }
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const wrong = names.find((name) => !isModelName(name));
  if (wrong !== undefined) {
    const wanted = "the name of a model, of letters, digits, '.', '_' and '-'";
    throw unexpected(join(models, wrong), `${wanted}; rename the folder or move it elsewhere`, JSON.stringify(wrong));
  }
  if (names.length === 0) throw new UserError(`${models}: expected a model, got none; ${howToMakeOne}`);
  return names.sort();
}

const howToMakeOne = 'bn-edge export runs/<run> or bn-edge add <file> makes one';
