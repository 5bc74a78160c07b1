/** A data source read: the samples that it names, and what they are called. */
import { basename, extname, resolve } from 'node:path';
import { loadData, type LoadedData } from './load.ts';
import { loadMnist } from './mnist.ts';
import type { DataSource } from './options.ts';

/**
 * @param seed chooses the samples of each part
 * @throws {UserError} as `loadData`
 */
export async function loadSource({ path, ...source }: DataSource, seed: number): Promise<LoadedData> {
  if (path === undefined) return { ...(await loadMnist({ seed })), columns: null };
  return loadData(path, { ...source, seed });
}

/** The name of the file or folder, without what comes before and behind it. */
export const sourceName = ({ path }: DataSource): string =>
  path === undefined ? 'MNIST' : basename(resolve(path), extname(path));
