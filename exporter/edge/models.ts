/** Finds the ONNX files to deploy: `models/<name>/*.onnx`, or any folder of ONNX files. */

import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Models } from './runtime/index.ts';

const extension = '.onnx';

/**
 * @returns model files by name: the path below `folder` without the extension, such as `mnist-cnn/model`
 * @throws Error if there is none
 */
export async function readModels(folder: string): Promise<Models> {
  const paths = globSync(`**/*${extension}`, { cwd: folder }).sort();
  if (paths.length === 0) throw new Error(`${folder}: expected at least one ${extension} file, got none`);
  const files = await Promise.all(paths.map((path) => readFile(join(folder, path))));
  return Object.fromEntries(files.map((file, i) => [modelName(paths[i] ?? ''), file]));
}

function modelName(path: string): string {
  return path.slice(0, -extension.length).replaceAll('\\', '/');
}
