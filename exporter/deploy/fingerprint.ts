/** Computes the hashes that stand for a model, and for everything that a folder of models deploys. */
import { createHash, hash } from 'node:crypto';
import { join } from 'node:path';
import { withExternalData } from '../served/external-data.ts';
import { cardFile } from '../store/card.ts';
import { modelFileAmong, modelNamesIfAny } from '../store/models-folder.ts';
import { type Files, readFolder, versionsIn } from '../store/versions.ts';

/** Returns the hash of the current version's ONNX file; undefined if there is none. */
export function sha256Of(files: Files): string | undefined {
  const model = files.get(modelFileAmong(files.keys()));
  return model && hash('sha256', model);
}

/**
 * Returns the same text for the same models, versions and cards. It is short enough for the tag of a Worker's version.
 */
export async function fingerprint(models: string): Promise<string> {
  const all = createHash('sha256');
  for (const name of modelNamesIfAny(models)) {
    for (const [folder, files] of versionsIn(name, await readFolder(models, name))) {
      const served = modelFileAmong(files.keys());
      for (const [path, bytes] of files) {
        if (path !== served && path !== cardFile) continue;
        // Weights may lie in files beside the model.
        const whole = path === served ? withExternalData(join(models, folder, path), bytes) : bytes;
        all.update(`${folder}/${path} ${hash('sha256', whole)}\n`);
      }
    }
  }
  return `models-${all.digest('hex').slice(0, 12)}`;
}
