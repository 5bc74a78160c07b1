/** Loads the samples that a data source names, and identifies them: by a name, and by a digest. */
import { createHash } from 'node:crypto';
import { basename, extname, resolve } from 'node:path';
import type { PicturePreparation } from '../pictures/index.ts';
import type { Dataset } from './dataset.ts';
import type { KnownData } from './known-table.ts';
import { loadData, type LoadedData, loadIdx } from './load.ts';
import type { DataSource } from './options.ts';

/** The facts that an existing model knows about its data. */
export interface Knowledge {
  readonly picture?: PicturePreparation | undefined;
  readonly table?: KnownData | undefined;
  readonly needsLabel?: boolean | undefined;
}

/**
 * Loads the samples that a source names.
 *
 * @param seed chooses the samples of each part
 * @param known describes the model that the samples are for, if there is one
 * @throws UserError as `loadData`
 */
export async function loadSource(
  { path, ...source }: DataSource,
  seed: number,
  { picture, table: known, needsLabel }: Knowledge = {},
): Promise<LoadedData> {
  const options = { ...source, seed, picture, known, needsLabel };
  return path === undefined ? loadIdx(options) : loadData(path, options);
}

/** Returns the base name of the file or folder, without its extension. */
export const sourceName = ({ path }: DataSource): string =>
  path === undefined ? 'MNIST' : basename(resolve(path), extname(path));

/** Returns the SHA-256 of all samples and targets, in hexadecimal. */
export function digestOf(...datasets: readonly Dataset[]): string {
  const hash = createHash('sha256');
  for (const dataset of datasets) {
    hash.update(dataset.inputs).update(dataset.task === 'classification' ? dataset.labels : dataset.values);
  }
  return hash.digest('hex');
}
