/** One door for a user's own data: whatever lies at a path, read, split and ready to train on. */
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { cannotRead, unexpected } from '../files/index.ts';
import { numbersOf, type PicturePreparation } from '../pictures/index.ts';
import { type ArrayParts, readNpyArrays, readNpzArrays } from './arrays.ts';
import type { Column } from '../columns/index.ts';
import type { Dataset } from './dataset.ts';
import { type ImageFolder, type ImageFolderOptions, readImageFolder } from './image-folder.ts';
import type { Imputations } from './impute.ts';
import type { ColumnSummary } from './infer.ts';
import { type KnownData, readKnownTable } from './known-table.ts';
import { hasMnistFiles, loadMnist, type MnistOptions, pictureOfMnist } from './mnist.ts';
import type { DataSource } from './options.ts';
import type { Splits } from './split.ts';
import { splitByShares, splitTable } from './split-table.ts';
import { readTable } from './table-file.ts';

/** A source's, and what only a program can say. */
export interface LoadOptions extends Omit<DataSource, 'path'>, Pick<ImageFolderOptions, 'picture' | 'needsLabel'> {
  /** Chooses the samples of each part. */
  readonly seed: number;
  /** What a model that exists knows of a table: its columns and classes are not told anew. */
  readonly known?: KnownData | undefined;
  /** Names of the classes in a folder of IDX files, default the ten digits. */
  readonly classes?: readonly string[] | undefined;
}

export interface LoadedData extends Splits {
  /** What the inputs of a table mean; null for images and arrays. Raw rows are NaN where a value is missing: the model fills it in. */
  readonly columns: readonly Column[] | null;
  /** All columns of a table for people, the label's and those left out among them. */
  readonly summary?: readonly ColumnSummary[] | undefined;
  /** How pictures were prepared, and are to be prepared for the model. */
  readonly picture?: PicturePreparation | undefined;
  /** For people: what was recognized, left out, or is odd. */
  readonly notes?: readonly string[] | undefined;
}

type Load = (path: string, options: LoadOptions) => Promise<LoadedData>;

const loadNpz: Load = async (path, options) => withParts(await readNpzArrays(path, options), options);

const loadNpy: Load = async (path, options) =>
  withParts(await readNpyArrays(path, labelOf(path, options), options), options);

const loaders: ReadonlyMap<string, Load> = new Map([
  ...['.csv', '.tsv', '.tab', '.txt', '.data', '.parquet', '.jsonl', '.ndjson'].map(
    (each) => [each, loadTable] as const,
  ),
  ['.npz', loadNpz],
  ['.npy', loadNpy],
]);

/** For people: the extensions of the files that are read. */
export const readableFiles = `a ${new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(loaders.keys())} file`;

/**
 * Reads a file by its extension, a folder with MNIST's four IDX files, or a folder with a folder of images for each class.
 *
 * @throws {UserError} in one line that names the file, with line and column for a table.
 */
export async function loadData(path: string, options: LoadOptions): Promise<LoadedData> {
  if (await isFolder(path)) return loadFolder(path, options);
  const load = loaders.get(extname(path.replace(/\.gz$/i, '')).toLowerCase());
  if (!load) throw unexpected(path, `${readableFiles}, or a folder of images`, 'another kind of file');
  return load(path, options);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw cannotRead(path, error);
  }
}

async function loadFolder(path: string, options: LoadOptions): Promise<LoadedData> {
  return hasMnistFiles(path)
    ? loadIdx({ ...options, directory: path })
    : withParts(await readImageFolder(path, options), options);
}

/** MNIST from its package, or a folder with the same files. */
export async function loadIdx(options: MnistOptions & Pick<LoadOptions, 'picture' | 'pictures'>): Promise<LoadedData> {
  const splits = await loadMnist(options);
  const { picture } = options;
  if (!picture) return { ...splits, columns: null, picture: pictureOfMnist(splits.test, options.pictures) };
  const { train, validation, test } = splits;
  const taken = <D extends Dataset>(part: D): D => ({ ...part, inputs: asNumbers(part.inputs, picture) });
  return { train: taken(train), validation: taken(validation), test: taken(test), columns: null, picture };
}

const asNumbers = (inputs: Dataset['inputs'], picture: PicturePreparation): Dataset['inputs'] =>
  inputs instanceof Uint8Array ? numbersOf(inputs, picture) : inputs;

async function loadTable(path: string, options: LoadOptions): Promise<LoadedData> {
  if (options.known) {
    const { dataset, notes } = await readKnownTable(
      path,
      { ...options, label: labelOf(path, options), kinds: undefined },
      options.known,
    );
    return { ...splitByShares(dataset, options), columns: options.known.columns, notes };
  }
  // Maps, because a column may be called as a member that every object has.
  const imputations: Imputations = { own: mapOf(options.impute), others: options.imputeOthers };
  const kinds = mapOf(options.kinds);
  const table = await readTable(path, { ...options, label: labelOf(path, options), kinds, imputations });
  return splitTable(table, imputations, options);
}

const mapOf = <V>(record: Readonly<Record<string, V>> = {}): ReadonlyMap<string, V> => new Map(Object.entries(record));

function labelOf(path: string, { label }: LoadOptions): string {
  if (label === undefined) throw unexpected(path, 'the name of the label to predict', 'none; --label names it');
  return label;
}

/** Pictures or arrays, of which some bring parts of their own. */
function withParts(
  { parts: { train, ...held }, picture, notes }: ImageFolder | ArrayParts,
  options: LoadOptions,
): LoadedData {
  const prepared = options.picture ?? picture;
  return { ...splitRest(train, held, options), columns: null, ...(prepared && { picture: prepared }), notes };
}

/** The parts that the data bring are kept as they are; the others are taken from training's. */
function splitRest(train: Dataset, { validation, test }: Partial<Splits>, options: LoadOptions): Splits {
  const { validationShare, testShare } = options;
  const rest = splitByShares(train, {
    ...options,
    validationShare: validation ? 0 : validationShare,
    testShare: test ? 0 : testShare,
  });
  return { train: rest.train, validation: validation ?? rest.validation, test: test ?? rest.test };
}
