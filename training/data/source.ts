/**
 * Where data come from and how they are read, as plain data: it is kept with what was trained on them, so that whoever
 * exports or evaluates that reads the same samples again.
 */
import { basename, extname, resolve } from 'node:path';
import type { ColumnKind } from './columns.ts';
import type { Dataset } from './dataset.ts';
import type { ImageSize } from './image-folder.ts';
import type { Imputation } from './impute.ts';
import { loadData, type LoadedData } from './load.ts';
import { loadMnist } from './mnist.ts';

/** All but the path as in `LoadOptions`. */
export interface DataSource {
  /** A file or a folder; MNIST from its package when omitted. */
  readonly path?: string | undefined;
  readonly label?: string | undefined;
  readonly task?: Dataset['task'] | undefined;
  readonly impute?: Readonly<Record<string, Imputation>> | undefined;
  readonly imputeOthers?: Imputation | undefined;
  readonly kinds?: Readonly<Record<string, ColumnKind | 'ignored'>> | undefined;
  readonly delimiter?: string | undefined;
  readonly header?: boolean | undefined;
  readonly size?: ImageSize | undefined;
  readonly channels?: 1 | 3 | undefined;
  readonly validationShare?: number | undefined;
  readonly testShare?: number | undefined;
}

/**
 * @param seed chooses the samples of each part
 * @throws {UserError} as `loadData`
 */
export async function loadSource({ path, impute, kinds, ...source }: DataSource, seed: number): Promise<LoadedData> {
  if (path === undefined) return { ...(await loadMnist({ seed })), columns: null };
  return loadData(path, { ...source, seed, impute: mapOf(impute), kinds: mapOf(kinds) });
}

const mapOf = <V>(record: Readonly<Record<string, V>> = {}): ReadonlyMap<string, V> => new Map(Object.entries(record));

/** The name of the file or folder, without what comes before and behind it. */
export const sourceName = ({ path }: DataSource): string =>
  path === undefined ? 'MNIST' : basename(resolve(path), extname(path));
