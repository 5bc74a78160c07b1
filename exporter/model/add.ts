/** ADAPTER until addModel is merged. */
import { basename, extname } from 'node:path';
import { readBytes } from '../../training/files/index.ts';
import { replaceFolder } from '../store/replace-folder.ts';

export async function addModel({
  file,
  name,
  models,
}: {
  readonly file: string;
  readonly name?: string;
  readonly models: string;
}) {
  const chosen = name ?? basename(file, extname(file));
  const model = await readBytes(file);
  await replaceFolder(models, chosen, new Map([['model.onnx', model]]));
  return { name: chosen, inputs: [], outputs: [], batchNormLayers: 0, bytes: model.byteLength };
}
