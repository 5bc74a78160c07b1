/** Loads the user's own data: whatever lies at a path is read, split and made ready to train on. */
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { cannotRead, unexpected } from '../files/index.ts';
import { numbersOf, type PicturePreparation } from '../pictures/index.ts';
import { type ArrayParts, readNpyArrays, readNpzArrays } from './arrays.ts';
import type { Column } from '../columns/index.ts';
import type { Dataset } from './dataset.ts';
import { type ImageFolder, type ImageFolderOptions, readImageFolder } from './image-folder.ts';
import type { Imputations } from './impute.ts';
import type { ColumnSummary } from './inferred.ts';
import { type KnownData, readKnownTable } from './known-table.ts';
import { hasMnistFiles, loadMnist, type MnistOptions, pictureOfMnist } from './mnist.ts';
import type { DataSource } from './options.ts';
import type { Splits } from './split.ts';
import { splitByShares, splitTable } from './split-table.ts';
import { readTable } from './table-file.ts';

/** The options of a data source, and those that only the program itself sets. */
export interface LoadOptions extends Omit<DataSource, 'path'>, Pick<ImageFolderOptions, 'picture' | 'needsLabel'> {
  /** Seeds the choice of each part's samples. */
  readonly seed: number;
  /** The columns and classes of an existing model, which the table is then read with instead of inferring them. */
  readonly known?: KnownData | undefined;
  /** The names of the classes in a folder of IDX files. Default: the ten digits. */
  readonly classes?: readonly string[] | undefined;
}

export interface LoadedData extends Splits {
  /**
   * The meaning of a table's inputs; null for images and arrays. Inputs are NaN where a value is missing, since the
   * model itself fills gaps.
   */
  readonly columns: readonly Column[] | null;
  /** Describes all columns of a table to the user, including the label and those that are left out. */
  readonly summary?: readonly ColumnSummary[] | undefined;
  /** The preparation of the pictures, which the model needs for others too. */
  readonly picture?: PicturePreparation | undefined;
  /** Tells the user what was recognized or left out, and what looks odd. */
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

/** Lists the extensions of readable files for messages. */
export const readableFiles = `a ${new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(loaders.keys())} file`;

/**
 * Reads a file by its extension, a folder with MNIST's four IDX files, or a folder with a folder of images for each
 * class.
 *
 * @throws UserError in one line that names the file, with line and column for a table
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

/** Loads MNIST from its package, or a folder with the same files. */
export async function loadIdx(options: MnistOptions & Pick<LoadOptions, 'picture' | 'pictures'>): Promise<LoadedData> {
  const splits = await loadMnist(options);
  const { picture } = options;
  if (!picture) return { ...splits, columns: null, picture: pictureOfMnist(splits.test, options.pictures) };
  const { train, validation, test } = splits;
  const withNumbers = <D extends Dataset>(part: D): D => ({ ...part, inputs: asNumbers(part.inputs, picture) });
  return {
    train: withNumbers(train),
    validation: withNumbers(validation),
    test: withNumbers(test),
    columns: null,
    picture,
  };
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
  // Maps, since a column may have the name of a member that every object inherits.
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

/** Splits pictures or arrays; a source may have a validation or test part of its own. */
function withParts(
  { parts: { train, ...held }, picture, notes }: ImageFolder | ArrayParts,
  options: LoadOptions,
): LoadedData {
  const prepared = options.picture ?? picture;
  return { ...splitMissingParts(train, held, options), columns: null, ...(prepared && { picture: prepared }), notes };
}

/** Keeps the parts that the data come with, and splits the missing ones off the training part. */
function splitMissingParts(train: Dataset, { validation, test }: Partial<Splits>, options: LoadOptions): Splits {
  const { validationShare, testShare } = options;
  const rest = splitByShares(train, {
    ...options,
    validationShare: validation ? 0 : validationShare,
    testShare: test ? 0 : testShare,
  });
  return { train: rest.train, validation: validation ?? rest.validation, test: test ?? rest.test };
}
