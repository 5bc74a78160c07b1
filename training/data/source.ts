/** A data source read: the samples that it names, and what they are called. */
import { basename, extname, resolve } from 'node:path';
import type { PicturePreparation } from '../pictures/index.ts';
import type { KnownData } from './known-table.ts';
import { loadData, type LoadedData, loadIdx } from './load.ts';
import type { DataSource } from './options.ts';

/** What a model that exists says of its data. */
export interface Knowledge {
  readonly picture?: PicturePreparation | undefined;
  readonly table?: KnownData | undefined;
  readonly needsLabel?: boolean | undefined;
}

/**
 * @param seed chooses the samples of each part
 * @param known of the model that the samples are for, where there is one
 * @throws {UserError} as `loadData`
 */
export async function loadSource(
  { path, ...source }: DataSource,
  seed: number,
  { picture, table: known, needsLabel }: Knowledge = {},
): Promise<LoadedData> {
  const options = { ...source, seed, picture, known, needsLabel };
  return path === undefined ? loadIdx(options) : loadData(path, options);
}

/** The name of the file or folder, without what comes before and behind it. */
export const sourceName = ({ path }: DataSource): string =>
  path === undefined ? 'MNIST' : basename(resolve(path), extname(path));
