/**
 * A CSV or TSV file as a data set. The file is read twice, row by row: once to learn its columns and its length (twice, where a
 * column has words after numbers), once to fill arrays of exactly that size, so nothing but the data set itself is ever in memory.
 */
import { type Column, expectationOf, isMissing, isMissingClass, readerOf, widthOf } from '../columns/index.ts';
import { quote, unexpected } from '../files/index.ts';
import { readCsv } from './csv.ts';
import type { ClassificationDataset, Dataset, RegressionDataset, Samples } from './dataset.ts';
import type { DataSource } from './options.ts';
import { ColumnProfile } from './profile.ts';

export interface TableOptions extends Pick<DataSource, 'task' | 'delimiter' | 'header'> {
  /** The column to predict. */
  readonly label: string;
  /** By column, as in a source. */
  readonly kinds?: ReadonlyMap<string, NonNullable<DataSource['kinds']>[string]> | undefined;
  /** Columns in which values may be missing. */
  readonly incomplete?: ReadonlySet<string> | 'all' | undefined;
}

export interface Table {
  /** The input columns, in the order of the file. */
  readonly columns: readonly Column[];
  /** `inputs` is float32 `[rows, width]`: numbers as they stand, categories by index, NaN where missing. */
  readonly dataset: Dataset;
}

/** @throws {UserError} naming the file and, for bad content, the line and the column. */
export async function readTable(path: string, options: TableOptions): Promise<Table> {
  const { profiles, count } = await profileColumns(path, options);
  checkNames(path, profiles, options);
  if (count === 0) throw unexpected(path, 'rows of data', 'none');

  const columns = profiles.map((profile) => inputColumn(path, profile, options));
  const inputColumns = columns.filter((column) => column !== null);
  if (inputColumns.length === 0) throw unexpected(path, 'a column besides the label', 'none');
  const width = inputColumns.reduce((sum, column) => sum + widthOf(column), 0);
  const inputs = new Float32Array(count * width);

  const labelIndex = profiles.findIndex(({ name }) => name === options.label);
  const label = labelColumn(path, profiles[labelIndex], options);
  const target = targetOf(label, count);

  let place = 0;
  const writers = columns.map((column) => {
    if (column === null) return null;
    const wanted = mayMiss(column, options) ? null : 'a value, or an imputation for the column';
    const write = cellWriter(column, { into: inputs, width, at: place, wanted });
    place += widthOf(column);
    return write;
  });
  const labels = target.task === 'classification' ? target.labels : target.values;
  const labelWriter = cellWriter(label, { into: labels, width: 1, at: 0, wanted: 'a value to predict', isLabel: true });
  const lines = await writeRows(path, options, profiles, writers.with(labelIndex, labelWriter), count);
  return { columns: inputColumns, dataset: { inputs, inputShape: [width], count, lines, ...target } };
}

const mayMiss = ({ name }: Column, { incomplete }: TableOptions): boolean =>
  incomplete === 'all' || (incomplete?.has(name) ?? false);

/** Puts a row's cell where it belongs. */
type Writer = (row: number, text: string, where: () => string) => void;

interface Room {
  readonly into: Float32Array | Int32Array;
  readonly width: number;
  readonly at: number;
  /** Where a value may not be missing, for the message; else null. */
  readonly wanted: string | null;
  readonly isLabel?: boolean;
}

function cellWriter(column: Column, { into, width, at, wanted, isLabel = false }: Room): Writer {
  const isNothing = isLabel && column.kind === 'categorical' ? isMissingClass : isMissing;
  const read = readerOf(column, { mayMiss: wanted === null, isNothing });
  return (row, text, where) => {
    const objection = read(text, into, row * width + at);
    if (objection === undefined) return;
    if (objection === 'missing') throw unexpected(where(), wanted ?? 'a value', 'none');
    throw unexpected(where(), expectationOf(column, objection), quote(text));
  };
}

/** In all columns together; what is more takes hundreds of bytes for each of the file's. */
const MOST_TEXTS = 250_000;
const MOST_COLUMNS = 100_000;

/** The first pass, and one more where columns turn out to hold words after numbers: these are `mixed`. */
async function profileColumns(
  path: string,
  options: TableOptions,
  mixed: ReadonlySet<string> = new Set(),
): Promise<{ readonly profiles: readonly ColumnProfile[]; readonly count: number }> {
  const { label, kinds } = options;
  const mayBeClasses = (name: string) => name === label || kinds?.get(name) === 'categorical' || mixed.has(name);
  let profiles: readonly ColumnProfile[] | undefined;
  let count = 0;
  for await (const rows of readCsv(path, delimiterOf(path, options))) {
    for (const { line, cells } of rows) {
      if (profiles === undefined) {
        if (cells.length > MOST_COLUMNS) throw unexpected(path, `at most ${MOST_COLUMNS} columns`, cells.length);
        profiles = namesOf(cells, options).map((name) => new ColumnProfile(name, mayBeClasses(name)));
        if (hasHeader(options)) continue;
      }
      profiles.forEach((profile, index) => {
        profile.add(cells[index] ?? '', line);
      });
      count++;
    }
    if (profiles && rows.length > 0) checkTexts(path, profiles);
  }
  const incomplete = profiles?.filter(({ isIncomplete }) => isIncomplete) ?? [];
  if (incomplete.length > 0) return profileColumns(path, options, new Set(incomplete.map(({ name }) => name)));
  return { profiles: profiles ?? [], count };
}

function checkTexts(path: string, profiles: readonly ColumnProfile[]): void {
  const count = profiles.reduce((sum, { texts }) => sum + texts.size, 0);
  if (count > MOST_TEXTS) throw unexpected(path, `at most ${MOST_TEXTS} different texts in all columns`, 'more');
}

/** The second pass. @returns the lines of the rows */
async function writeRows(
  path: string,
  options: TableOptions,
  profiles: readonly ColumnProfile[],
  writers: readonly (Writer | null)[],
  count: number,
): Promise<Int32Array> {
  const ends = new Int32Array(count);
  let row = hasHeader(options) ? -1 : 0;
  for await (const rows of readCsv(path, delimiterOf(path, options))) {
    for (const { line, cells } of rows) {
      if (row >= 0) {
        ends[row] = line;
        writers.forEach((write, index) => {
          write?.(row, cells[index] ?? '', () => `${path}: line ${line}, column ${quote(profiles[index]?.name ?? '')}`);
        });
      }
      row++;
    }
  }
  if (row !== count) throw unexpected(path, `${count} rows on the second reading`, row);
  return ends;
}

/** The cells of some rows as they stand in the file, by the lines in which they end, and then by column. */
export async function readCells(
  path: string,
  options: Omit<TableOptions, 'label'>,
  lines: ReadonlySet<number>,
): Promise<ReadonlyMap<number, ReadonlyMap<string, string>>> {
  const found = new Map<number, ReadonlyMap<string, string>>();
  let names: readonly string[] | undefined;
  for await (const rows of readCsv(path, delimiterOf(path, options))) {
    for (const { line, cells } of rows) {
      names ??= namesOf(cells, options);
      if (lines.has(line)) found.set(line, new Map(names.map((name, i) => [name, cells[i] ?? ''])));
    }
    if (found.size === lines.size) break;
  }
  return found;
}

const hasHeader = ({ header = true }: Pick<TableOptions, 'header'>) => header;

export const delimiterOf = (path: string, { delimiter }: Pick<TableOptions, 'delimiter'>) =>
  delimiter ?? (/\.(tsv|tab)$/i.test(path) ? '\t' : ',');

/** A column without a name, such as the row numbers that pandas writes, is called by its position. */
export function namesOf(cells: readonly string[], options: Pick<TableOptions, 'header'>): string[] {
  return cells.map((cell, index) => (hasHeader(options) && cell !== '' ? cell : `${index + 1}`));
}

function checkNames(path: string, profiles: readonly ColumnProfile[], options: TableOptions): void {
  const names = new Set<string>();
  const repeated = profiles.find(({ name }) => names.size === names.add(name).size)?.name;
  if (repeated !== undefined) throw unexpected(path, 'different column names', `${quote(repeated)} twice`);
  const { label, kinds, incomplete = [] } = options;
  const mentioned = [label, ...(kinds?.keys() ?? []), ...(incomplete === 'all' ? [] : incomplete)];
  const unknown = mentioned.find((name) => !names.has(name));
  if (unknown !== undefined) throw unexpected(path, `a column ${quote(unknown)}`, listOf([...names]));
}

const LONGEST_LIST = 10;

const listOf = (names: readonly string[]) =>
  names.length === 0
    ? 'an empty file'
    : names.slice(0, LONGEST_LIST).map(quote).join(', ') + (names.length > LONGEST_LIST ? ', …' : '');

/** The column as an input of the model; null for the label and for what is to be ignored. */
function inputColumn(path: string, profile: ColumnProfile, { label, kinds }: TableOptions): Column | null {
  const { name } = profile;
  const kind = kinds?.get(name) ?? profile.kind;
  if (name === label || kind === 'ignored') return null;
  if (kind === 'numeric') return { kind, name, fill: null };
  return { kind, name, categories: profile.categories(path), fill: null };
}

/** The label as a column: of categories, its classes, or of numbers to predict. */
function labelColumn(path: string, profile: ColumnProfile | undefined, { task }: TableOptions): Column {
  if (profile === undefined) throw new Error('internal: the label was not checked');
  const { name } = profile;
  return task === 'classification' || (task === undefined && holdsClasses(profile))
    ? { kind: 'categorical', name, categories: profile.categories(path), fill: null }
    : { kind: 'numeric', name, fill: null };
}

const MOST_WHOLE_NUMBERS = 20;

function holdsClasses({ firstWord, texts }: ColumnProfile): boolean {
  if (firstWord !== undefined) return true;
  return texts.size <= MOST_WHOLE_NUMBERS && [...texts].every((text) => /^[+-]?\d+$/.test(text));
}

type Target = Omit<ClassificationDataset, keyof Samples> | Omit<RegressionDataset, keyof Samples>;

function targetOf(label: Column, count: number): Target {
  return label.kind === 'categorical'
    ? { task: 'classification', labels: new Int32Array(count), classes: label.categories }
    : { task: 'regression', values: new Float32Array(count) };
}
