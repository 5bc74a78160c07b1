/**
 * Reads a table for an existing model, so nothing is learnt from it. Columns are found by their names, and cells mean
 * what they meant in training. Rows with a text that the model has never seen are left out and counted.
 */
import { at as elementAt } from '../arrays/index.ts';
import { type Column, expectationOf, isMissing, type Reader, readerOf, widthOf } from '../columns/index.ts';
import { count, quote, unexpected, UserError } from '../files/index.ts';
import type { Dataset } from './dataset.ts';
import { labelReader, type TableOptions } from './table.ts';
import { openTable } from './table-file.ts';
import type { TableFile, TableRow } from './table-rows.ts';

/** The columns and classes of an existing model. */
export interface KnownData {
  /** The columns in the order of the model's inputs. */
  readonly columns: readonly Column[];
  /** The classes; none where the model predicts numbers. */
  readonly classes: readonly string[];
}

/** A text that the model has never seen. */
export interface Unknown {
  readonly column: string;
  readonly value: string;
  /** The number of rows that were left out for it. A row counts once, for its first unknown text. */
  readonly rows: number;
}

export interface KnownRows {
  /** Raw values, NaN where missing: the model itself fills gaps. */
  readonly dataset: Dataset;
  readonly unknown: readonly Unknown[];
  readonly notes: readonly string[];
  /** Is true where the file has the label column. Without it, targets are −1 or NaN. */
  readonly isLabelled: boolean;
}

/** A column of the model, with its position in the file. */
interface SourceColumn {
  readonly column: Column;
  readonly at: number;
  readonly read: Reader;
}

/** A table that is read in blocks, so that it is never in memory as a whole. */
export interface KnownBlocks extends Pick<KnownRows, 'isLabelled'> {
  /**
   * Yields the rows, about `blockRows` at a time. It yields no more once a row could not be read.
   *
   * @throws UserError at the end of the file, naming lines and columns of all that cannot be read, or where no row is
   * left
   */
  readonly blocks: () => AsyncIterable<Dataset>;
  /** Returns the notes and unknown texts of the whole file. Call it after the last block. */
  readonly summary: () => Pick<KnownRows, 'unknown' | 'notes'>;
  /** Returns the share of the file that has been read, from 0 to 1. */
  readonly progress: () => number;
}

/**
 * Reads a whole table.
 *
 * @param needsLabel whether a file without the label column is refused
 * @throws UserError naming the file, and lines and columns of all that cannot be read, or where no row is left
 */
export async function readKnownTable(
  path: string,
  options: TableOptions,
  known: KnownData,
  needsLabel = true,
): Promise<KnownRows> {
  const { isLabelled, blocks, summary } = await openKnownTable(path, options, known, { needsLabel });
  for await (const dataset of blocks()) return { dataset, isLabelled, ...summary() };
  throw new Error('internal: a table without rows passed');
}

/**
 * Opens a table to be read in blocks.
 *
 * @throws UserError for a file that lacks columns
 */
export async function openKnownTable(
  path: string,
  options: TableOptions,
  known: KnownData,
  { needsLabel, blockRows = Infinity }: { readonly needsLabel: boolean; readonly blockRows?: number },
): Promise<KnownBlocks> {
  const file = await openTable(path, options);
  const isLabelled = needsLabel || file.names.includes(options.label);
  const table = new KnownTable(path, options, known, cellsOf(path, file, { ...options, isLabelled }, known));
  async function* blocks(): AsyncGenerator<Dataset> {
    for await (const rows of file.rows()) {
      for (const row of rows) table.add(row);
      if (table.count >= blockRows) yield* table.take();
    }
    table.end();
    yield* table.take();
  }
  return { isLabelled, blocks, summary: () => table.summary(file.notes), progress: file.progress };
}

/** The first cell of a column that cannot be read, and the number of rows with such a cell. */
interface Problem {
  readonly message: string;
  readonly remedy: string;
  rows: number;
}

class KnownTable {
  readonly #path: string;
  readonly #options: TableOptions;
  readonly #known: KnownData;
  readonly #cells: readonly SourceColumn[];
  readonly #row: Float32Array;
  #inputs: Float32Array;
  #targets: number[] = [];
  #lines: number[] = [];
  #taken = 0;
  readonly #unknown = new Map<string, Unknown>();
  readonly #problems = new Map<string, Problem>();
  #withoutLabel = 0;

  /** @param cells the label's cell is the first */
  constructor(path: string, options: TableOptions, known: KnownData, cells: readonly SourceColumn[]) {
    this.#path = path;
    this.#options = options;
    this.#known = known;
    this.#cells = cells;
    this.#row = new Float32Array(known.columns.reduce((sum, column) => sum + widthOf(column), 1));
    this.#inputs = new Float32Array(1024 * this.#width);
  }

  get #width(): number {
    return this.#row.length - 1;
  }

  add({ line, cells }: TableRow): void {
    let place = 0;
    for (const [i, { column, at, read }] of this.#cells.entries()) {
      const text = cells[at] ?? '';
      const objection = read(text, this.#row, place);
      place += widthOf(column);
      if (objection === undefined) continue;
      if (objection === 'unknown') {
        this.#leaveOut(column.name, text);
        return;
      }
      if (i === 0 && this.#options.dropMissingLabels) {
        this.#withoutLabel++;
        return;
      }
      this.#complain(column, line, text, { isLabel: i === 0, expected: expectationOf(column, objection) });
      return;
    }
    this.#keep(line);
  }

  #keep(line: number): void {
    const end = this.#targets.length * this.#width;
    if (end + this.#width > this.#inputs.length) {
      const larger = new Float32Array(2 * this.#inputs.length);
      larger.set(this.#inputs);
      this.#inputs = larger;
    }
    this.#inputs.set(this.#row.subarray(1), end);
    this.#targets.push(elementAt(this.#row, 0));
    this.#lines.push(line);
  }

  #leaveOut(column: string, value: string): void {
    const key = JSON.stringify([column, value]);
    this.#unknown.set(key, { column, value, rows: (this.#unknown.get(key)?.rows ?? 0) + 1 });
  }

  #complain(
    column: Column,
    line: number,
    text: string,
    { isLabel, expected }: { isLabel: boolean; expected: string },
  ): void {
    const found = this.#problems.get(column.name);
    if (found) {
      found.rows++;
      return;
    }
    const isNothing = text === '' || isMissing(text);
    const wanted = isNothing ? (isLabel ? 'a value to compare with' : 'a value, as in training') : expected;
    const message = `line ${line}, column ${quote(column.name)}: expected ${wanted}, got ${isNothing ? 'none' : quote(text)}`;
    const remedy = isLabel
      ? '--drop-missing-labels leaves such rows out'
      : 'the model takes no others; correct or remove such rows';
    this.#problems.set(column.name, { message, remedy, rows: 1 });
  }

  /** Counts the rows that have not been taken yet. */
  get count(): number {
    return this.#targets.length;
  }

  /** Yields the rows since the last call, if there are any and none could not be read. */
  *take(): Generator<Dataset> {
    const targets = this.#targets;
    if (targets.length > 0 && this.#problems.size === 0) yield this.#dataset();
    this.#taken += targets.length;
    [this.#targets, this.#lines] = [[], []];
  }

  #dataset(): Dataset {
    const targets = this.#targets;
    const { classes } = this.#known;
    const samples = {
      inputs: this.#inputs.slice(0, targets.length * this.#width),
      inputShape: [this.#width],
      count: targets.length,
      lines: Int32Array.from(this.#lines),
    };
    return classes.length > 0
      ? { ...samples, task: 'classification', labels: Int32Array.from(targets), classes }
      : { ...samples, task: 'regression', values: Float32Array.from(targets) };
  }

  summary(notes: readonly string[]): Pick<KnownRows, 'unknown' | 'notes'> {
    const left = this.#withoutLabel;
    const without = left > 0 ? [`${count(left)} rows have no ${quote(this.#options.label)} and are left out`] : [];
    return { unknown: [...this.#unknown.values()], notes: [...notes, ...without] };
  }

  /**
   * Checks that all rows could be read.
   *
   * @throws UserError where a row could not be read, or none is left
   */
  end(): void {
    this.#refuse();
    if (this.#taken + this.count > 0) return;
    const [first] = this.#unknown.values();
    const got = first ? `only rows with texts that it lacks, such as ${first.column} ${quote(first.value)}` : 'none';
    throw unexpected(this.#path, 'rows that the model knows', got);
  }

  #refuse(): void {
    const problems = [...this.#problems.values()].map(({ message, remedy, rows }) => {
      return `${message}${rows > 1 ? ` (and ${count(rows - 1)} more)` : ''}; ${remedy}`;
    });
    const [first, ...others] = problems;
    if (first === undefined) return;
    throw new UserError(
      others.length === 0
        ? `${this.#path}: ${first}`
        : `${this.#path}:${problems.map((each) => `\n  ${each}`).join('')}`,
    );
  }
}

/** Finds the model's columns in the file. The label's cell is the first. */
function cellsOf(
  path: string,
  { names, decimal }: TableFile,
  { label, isLabelled }: TableOptions & Pick<KnownRows, 'isLabelled'>,
  { columns, classes }: KnownData,
): SourceColumn[] {
  const target: Column =
    classes.length > 0
      ? { kind: 'categorical', name: label, categories: classes, fill: null }
      : { kind: 'numeric', name: label, fill: null };
  const wantedColumns = isLabelled ? [target, ...columns] : columns;
  const lacking = wantedColumns.filter(({ name }) => !names.includes(name)).map(({ name }) => quote(name));
  if (lacking.length > 0) {
    const wanted = `${lacking.length > 1 ? 'columns' : 'a column'} ${lacking.join(', ')}, as in training`;
    throw unexpected(
      path,
      wanted,
      `${names.slice(0, 20).map(quote).join(', ')}${lacking.includes(quote(label)) ? '; --label names the column to compare with' : ''}`,
    );
  }
  const found = wantedColumns.map((column) => {
    const at = names.indexOf(column.name);
    if (names.includes(column.name, at + 1)) {
      throw unexpected(path, 'different column names', `${quote(column.name)} twice`);
    }
    return { column, at, read: column === target ? labelReader(target, decimal) : readerOf(column, { decimal }) };
  });
  return isLabelled ? found : [{ column: target, at: -1, read: noLabel(classes) }, ...found];
}

const noLabel =
  (classes: readonly string[]): Reader =>
  (_, into, at) => {
    into[at] = classes.length > 0 ? -1 : NaN;
    return undefined;
  };
