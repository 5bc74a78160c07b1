/**
 * Reads a table as a data set. The file is read row by row, so that only the data set itself is in memory. The first
 * pass learns the columns and the number of rows, the last one fills arrays of exactly that size. A further pass comes
 * between them where a column turns out to hold categories although numbers came first.
 */
import { present } from '../arrays/index.ts';
import {
  type Column,
  type Decimal,
  isMissing,
  isMissingClass,
  type Reader,
  readerOf,
  widthOf,
} from '../columns/index.ts';
import { count as formatted, quote, unexpected, UserError } from '../files/index.ts';
import type { ClassificationDataset, Dataset, RegressionDataset, Samples } from './dataset.ts';
import { inferColumn } from './infer-column.ts';
import type { ColumnSummary, GivenKind, Inferred } from './inferred.ts';
import { inferLabel } from './infer-label.ts';
import type { Imputations } from './impute.ts';
import type { DataSource } from './options.ts';
import { ColumnProfile, TextBudget } from './profile.ts';
import type { TableFile } from './table-rows.ts';
import type { TableFormat } from './text-table.ts';

export interface TableOptions extends TableFormat, Pick<DataSource, 'task' | 'dropMissingLabels'> {
  /** The column to predict. */
  readonly label: string;
  /** Maps a column to its kind, as in a data source. */
  readonly kinds?: ReadonlyMap<string, GivenKind> | undefined;
  readonly imputations?: Imputations | undefined;
}

export interface Table {
  /** The input columns, in the order of the file. */
  readonly columns: readonly Column[];
  /** `inputs` is float32 `[rows, width]`: numbers as they stand, categories by index, NaN where missing. */
  readonly dataset: Dataset;
  /** Describes all columns of the file to the user, including the label and those that are left out. */
  readonly summary: readonly ColumnSummary[];
  readonly notes: readonly string[];
}

/**
 * Reads a table as a data set.
 *
 * @param path names the table in messages
 * @throws UserError naming the file and, for bad content, all columns that need a decision, with lines, cells and
 * flags
 */
export async function tableOf(path: string, file: TableFile, options: TableOptions): Promise<Table> {
  checkNames(path, file.names, options);
  const { profiles, count: rows } = await profileColumns(path, file, options);
  if (rows === 0) throw unexpected(path, 'rows of data', 'none');

  const { label: labelName } = options;
  const labelIndex = file.names.indexOf(labelName);
  const label = inferLabel(present(profiles[labelIndex]), { ...options, rows });
  const inferred = profiles.map((profile, index) =>
    index === labelIndex ? label : inferColumn(profile, optionsFor(profile, options, rows)),
  );
  refuse(
    path,
    inferred.flatMap(({ problems }) => problems),
  );
  const inputs = inferred.map(({ column }, index) => (index === labelIndex ? null : column));
  const columns = inputs.filter((column) => column !== null);
  if (columns.length === 0) throw unexpected(path, 'a column besides the label', noneOf(inferred, labelIndex));
  const count = rows - label.dropped;
  if (count === 0) throw unexpected(path, `rows with a ${quote(labelName)}`, 'none');
  const { samples, target } = await fillArrays(path, file, {
    inputs,
    label: label.column,
    labelIndex,
    count,
    dropped: label.dropped,
  });
  return {
    columns,
    dataset: { ...samples, ...target },
    summary: inferred.map(({ summary }) => summary),
    notes: [...file.notes, ...shortened(inferred.flatMap(({ notes }) => notes))],
  };
}

const MAX_NOTES = 30;

const shortened = (notes: readonly string[]): readonly string[] =>
  notes.length > MAX_NOTES
    ? [...notes.slice(0, MAX_NOTES), `and ${formatted(notes.length - MAX_NOTES)} notes more`]
    : notes;

function noneOf(inferred: readonly Inferred[], label: number): string {
  const others = inferred.filter((_, index) => index !== label).map(({ summary }) => summary);
  const reasons = others.map(({ name, done }) => `${quote(name)} (${done})`);
  return reasons.length > 0
    ? `only ${reasons.slice(0, 5).join(', ')}; --categorical or --numeric keep a column`
    : 'none';
}

/** Reports all problems at once, each with the flags that resolve it. */
function refuse(path: string, problems: readonly string[]): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  if (others.length === 0) throw new UserError(`${path}: ${first}`);
  const shown = problems.slice(0, 30).map((problem) => `\n  ${problem}`);
  const rest = problems.length > shown.length ? `\n  and ${problems.length - shown.length} more` : '';
  throw new UserError(`${path}: ${problems.length} things to decide:${shown.join('')}${rest}`);
}

/** Makes the first pass, and one more where columns turn out to hold words after numbers: these are `mixed`. */
async function profileColumns(
  path: string,
  file: TableFile,
  options: TableOptions,
  mixed: ReadonlySet<string> = new Set(),
): Promise<{ readonly profiles: readonly ColumnProfile[]; readonly count: number }> {
  const { label, kinds } = options;
  const budget = new TextBudget();
  const { decimal } = file;
  // Shared by all columns, of which there may be a hundred thousand.
  const defaults = { decimal, isLabel: false, keepsNumbers: false, budget };
  const keeping = { ...defaults, keepsNumbers: true };
  const profiles = file.names.map((name) => {
    if (name === label) return new ColumnProfile(name, { ...keeping, isLabel: true });
    if (kinds?.get(name) === 'categorical') return new ColumnProfile(name, { ...keeping, isDeclared: true });
    return new ColumnProfile(name, mixed.has(name) ? keeping : defaults);
  });
  let count = 0;
  for await (const rows of file.rows()) {
    for (const { line, cells } of rows) {
      for (let i = 0; i < profiles.length; i++) present(profiles[i]).add(present(cells[i]), line);
      count++;
    }
    if (budget.left < 0) {
      throw unexpected(
        path,
        `at most ${TextBudget.max} different texts in all columns`,
        'more; --ignore leaves columns out',
      );
    }
  }
  const incomplete = profiles.filter((profile) => {
    return (
      profile.lacksNumbers && inferColumn(profile, optionsFor(profile, options, count)).column?.kind === 'categorical'
    );
  });
  if (incomplete.length > 0)
    return profileColumns(path, file, options, new Set([...mixed, ...incomplete.map(({ name }) => name)]));
  return { profiles, count };
}

const optionsFor = ({ name }: ColumnProfile, { kinds, imputations }: TableOptions, rows: number) => {
  const imputation = imputations?.own.get(name);
  return { kind: kinds?.get(name), imputation, refusesGaps: (imputation ?? imputations?.others) === 'refuse', rows };
};

interface Wanted {
  /** The input columns by column of the file; null for the label and columns that are left out. */
  readonly inputs: readonly (Column | null)[];
  readonly label: Column;
  readonly labelIndex: number;
  readonly count: number;
  readonly dropped: number;
}

type Target = Omit<ClassificationDataset, keyof Samples> | Omit<RegressionDataset, keyof Samples>;

/** Makes the last pass, which fills the arrays. */
async function fillArrays(
  path: string,
  file: TableFile,
  { inputs, label, labelIndex, count, dropped }: Wanted,
): Promise<{ readonly samples: Samples; readonly target: Target }> {
  const { decimal } = file;
  const width = inputs.reduce((sum, column) => sum + (column ? widthOf(column) : 0), 0);
  const values = new Float32Array(count * width);
  const lines = new Int32Array(count);
  const target = targetOf(label, count);
  const labels = target.task === 'classification' ? target.labels : target.values;
  const readLabel = labelReader(label, decimal);
  let place = 0;
  const cells = inputs.flatMap((column, at) => {
    if (!column) return [];
    const cell = { at, place, read: readerOf(column, { decimal, mayMiss: true }) };
    place += widthOf(column);
    return [cell];
  });
  let [row, left] = [0, 0];
  for await (const rows of file.rows()) {
    for (const { line, cells: texts } of rows) {
      if (readLabel(present(texts[labelIndex]), labels, row) !== undefined) {
        left++;
        continue;
      }
      if (row === count) throw changed(path);
      for (const { at, place, read } of cells) {
        if (read(present(texts[at]), values, row * width + place) !== undefined) throw changed(path);
      }
      lines[row++] = line;
    }
  }
  if (row !== count || left !== dropped) throw changed(path);
  return { samples: { inputs: values, inputShape: [width], count, lines }, target };
}

/** The error for a cell that does not fit: all cells did when the file was read first. */
const changed = (path: string): UserError =>
  unexpected(path, 'the same rows on the second reading', 'others: the file has changed');

/** Reads labels. Words such as `None` are classes among classes, but missing among numbers. */
export const labelReader = (label: Column, decimal: Decimal): Reader =>
  readerOf(label, { decimal, mayMiss: false, isNothing: label.kind === 'categorical' ? isMissingClass : isMissing });

function targetOf(label: Column, count: number): Target {
  return label.kind === 'categorical'
    ? { task: 'classification', labels: new Int32Array(count), classes: label.categories }
    : { task: 'regression', values: new Float32Array(count) };
}

function checkNames(path: string, all: readonly string[], options: TableOptions): void {
  const names = new Set<string>();
  const repeated = all.find((name) => names.size === names.add(name).size);
  if (repeated !== undefined)
    throw unexpected(path, 'different column names', `${quote(repeated)} twice; --no-header reads without names`);
  const { label, kinds, imputations } = options;
  const mentioned = [
    ['--label', label],
    ...[...(kinds ?? [])].map(([name, kind]) => [kind === 'ignored' ? '--ignore' : `--${kind}`, name]),
    ...[...(imputations?.own.keys() ?? [])].map((name) => ['--missing', name]),
  ] as const;
  const unknown = mentioned.find(([, name = '']) => !names.has(name));
  if (unknown)
    throw unexpected(path, `a column ${quote(unknown[1])}`, `${listOf(all)}; ${unknown[0]} names one of them`);
  if (imputations?.own.has(label)) {
    const got = `${quote(label)}; --drop-missing-labels leaves out rows without one`;
    throw unexpected(path, '--missing for columns besides the label', got);
  }
}

const LONGEST_LIST = 10;

const listOf = (names: readonly string[]) =>
  names.length === 0
    ? 'an empty file'
    : names.slice(0, LONGEST_LIST).map(quote).join(', ') + (names.length > LONGEST_LIST ? ', …' : '');
