/** What stands for a model, and for all that a folder of models deploys. */
import { createHash } from 'node:crypto';
import { modelNamesIfAny } from '../store/models-folder.ts';
import { type Files, readFolder } from '../store/versions.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Of the current version's `model.onnx`; undefined where there is none. */
export function sha256Of(files: Files): string | undefined {
  const model = files.get('model.onnx');
  return model && sha256(model);
}

/** The same for the same models, versions and cards; short enough for the tag of a Worker's version. */
export async function fingerprint(models: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of modelNamesIfAny(models)) {
    for (const [path, bytes] of await readFolder(models, name)) {
      if (/(^|\/)(model\.onnx|card\.json)$/.test(path)) hash.update(`${name}/${path} ${sha256(bytes)}\n`);
    }
  }
  return `models-${hash.digest('hex').slice(0, 12)}`;
}
