/** One door for a user's own data: whatever lies at a path, read, split and ready to train on. */
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { cannotRead, unexpected } from '../files/index.ts';
import { numbersOf, type PicturePreparation } from '../pictures/index.ts';
import { type ArrayParts, readNpyArrays, readNpzArrays } from './arrays.ts';
import type { Column } from '../columns/index.ts';
import type { Dataset } from './dataset.ts';
import { noteDuplicates } from './duplicates.ts';
import { type ImageFolder, type ImageFolderOptions, readImageFolder } from './image-folder.ts';
import { fitFills, type Imputations } from './impute.ts';
import { type ColumnSummary, short } from './infer.ts';
import { type KnownData, readKnownTable } from './known-table.ts';
import { hasMnistFiles, loadMnist, type MnistOptions, pictureOfMnist } from './mnist.ts';
import type { DataSource } from './options.ts';
import { createRandom } from './random.ts';
import { withSeen } from './seen.ts';
import { splitDataset, type Splits } from './split.ts';
import { readTable } from './table.ts';

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
    return { ...split(dataset, options), columns: options.known.columns, notes };
  }
  // Maps, because a column may be called as a member that every object has.
  const imputations: Imputations = { own: mapOf(options.impute), others: options.imputeOthers };
  const kinds = mapOf(options.kinds);
  const table = await readTable(path, { ...options, label: labelOf(path, options), kinds, imputations });
  const { summary, notes } = table;
  const splits = split(table.dataset, options);
  const withGaps = new Set(summary.filter(({ missing }) => missing > 0).map(({ name }) => name));
  const columns = withSeen(fitFills(table.columns, imputations, withGaps, splits.train), splits.train);
  return { ...splits, columns, summary: withFills(summary, columns), notes: [...notes, ...noteDuplicates(splits)] };
}

/** With what is done about missing values. */
function withFills(summary: readonly ColumnSummary[], columns: readonly Column[]): readonly ColumnSummary[] {
  const found = new Map(columns.map((column) => [column.name, column]));
  return summary.map((line) => {
    const column = found.get(line.name);
    const how = column && line.missing > 0 ? fillInWords(column) : '';
    return { ...line, done: [line.done, how].filter((text) => text !== '').join('; ') };
  });
}

/** `missing: median 4050, and the model is told`, `missing: a category of its own` */
function fillInWords(column: Column): string {
  const { kind, fill, missing = 'value' } = column;
  if (fill === null) return '';
  if (kind === 'date') return 'missing: the model is told';
  if (kind === 'numeric')
    return `missing: ${missing === 'value' ? '' : `${missing} `}${short(fill)}${column.indicator ? ', and the model is told' : ''}`;
  return missing === 'category' ? 'missing: a category of its own' : `missing: ${column.categories[fill] ?? ''}`;
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
  const rest = split(train, {
    ...options,
    validationShare: validation ? 0 : validationShare,
    testShare: test ? 0 : testShare,
  });
  return { train: rest.train, validation: validation ?? rest.validation, test: test ?? rest.test };
}

/** Batch Norm normalizes one sample to nothing. */
const LEAST_TRAINED = 2;

/** At least one sample for each part that is wanted. */
function split(dataset: Dataset, { seed, validationShare = 0.1, testShare = 0.1 }: LoadOptions): Splits {
  const size = (share: number) => (share === 0 ? 0 : Math.max(1, Math.round(dataset.count * share)));
  const sizes = { validation: size(validationShare), test: size(testShare) };
  const least = LEAST_TRAINED + Math.min(sizes.validation, 1) + Math.min(sizes.test, 1);
  // Without parts, data are only looked at.
  if (dataset.count < least && least > LEAST_TRAINED) {
    const parts = [
      `${LEAST_TRAINED} to train on`,
      sizes.validation > 0 && 'one for validation',
      sizes.test > 0 && 'one for the test',
    ];
    const wanted = `at least ${least} samples, ${parts.filter(Boolean).join(', ')}`;
    throw unexpected('data', wanted, `${dataset.count}; --validation-share 0 or --test-share 0 do without a part`);
  }
  return splitDataset(dataset, sizes, createRandom(seed));
}
