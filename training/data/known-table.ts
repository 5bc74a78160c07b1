/**
 * A table for a model that exists: nothing is learnt from it. Its columns are found by their names, and its texts mean what they
 * meant in training; rows with a text that the model has never seen are left out and counted.
 */
import { quote, unexpected } from '../files/index.ts';
import { type Column, encoderOf, isMissing } from './columns.ts';
import { readCsv } from './csv.ts';
import type { Dataset } from './dataset.ts';
import { delimiterOf, namesOf, type TableOptions } from './table.ts';

/** What a model knows of its data. */
export interface KnownData {
  /** In the order of its inputs. */
  readonly columns: readonly Column[];
  /** None for numbers to predict. */
  readonly classes: readonly string[];
}

/** A text that the model has never seen. */
export interface Unknown {
  readonly column: string;
  readonly value: string;
  /** How many rows with it were left out; a row counts once, for its first one. */
  readonly rows: number;
}

export interface KnownRows {
  readonly dataset: Dataset;
  readonly unknown: readonly Unknown[];
}

/** A column as the model has it, and where it stands in the file. */
interface Reader {
  readonly column: Column;
  readonly at: number;
  /** NaN for a missing value, undefined for an unknown text. */
  readonly read: (text: string, where: () => string) => number | undefined;
}

/** @throws {UserError} naming the file, and line and column for bad content, or where no row is left. */
export async function readKnownTable(path: string, options: TableOptions, known: KnownData): Promise<KnownRows> {
  const table = new KnownTable(path, known);
  let readers: readonly Reader[] | undefined;
  for await (const rows of readCsv(path, delimiterOf(path, options))) {
    for (const { line, cells } of rows) {
      const isHeader = readers === undefined && (options.header ?? true);
      readers ??= readersOf(path, namesOf(cells, options), options.label, known);
      if (!isHeader) table.add(readers, cells, line);
    }
  }
  return table.read();
}

class KnownTable {
  readonly #path: string;
  readonly #known: KnownData;
  readonly #inputs: number[] = [];
  readonly #targets: number[] = [];
  readonly #unknown = new Map<string, Unknown>();

  constructor(path: string, known: KnownData) {
    this.#path = path;
    this.#known = known;
  }

  /** @param readers the label's first */
  add(readers: readonly Reader[], cells: readonly string[], line: number): void {
    const row = readers.map(({ column, at, read }) => {
      const value = read(cells[at] ?? '', () => `${this.#path}: line ${line}, column ${quote(column.name)}`);
      return Number.isNaN(value) ? (column.fill ?? NaN) : value;
    });
    const strange = readers[row.indexOf(undefined)];
    if (strange) {
      this.#leaveOut(strange.column.name, cells[strange.at] ?? '');
      return;
    }
    const [target = NaN, ...values] = row;
    this.#targets.push(target);
    for (const value of values) this.#inputs.push(value ?? NaN);
  }

  #leaveOut(column: string, value: string): void {
    const key = JSON.stringify([column, value]);
    this.#unknown.set(key, { column, value, rows: (this.#unknown.get(key)?.rows ?? 0) + 1 });
  }

  read(): KnownRows {
    const unknown = [...this.#unknown.values()];
    const [targets, [first]] = [this.#targets, unknown];
    if (targets.length === 0) {
      const got = first ? `none without such as ${first.column} ${quote(first.value)}` : 'none';
      throw unexpected(this.#path, 'rows that the model knows', got);
    }
    const { columns, classes } = this.#known;
    const samples = { inputs: Float32Array.from(this.#inputs), inputShape: [columns.length], count: targets.length };
    const dataset: Dataset =
      classes.length > 0
        ? { ...samples, task: 'classification', labels: Int32Array.from(targets), classes }
        : { ...samples, task: 'regression', values: Float32Array.from(targets) };
    return { dataset, unknown };
  }
}

/** The label's first. */
function readersOf(path: string, names: readonly string[], label: string, { columns, classes }: KnownData): Reader[] {
  const target: Column =
    classes.length > 0
      ? { kind: 'categorical', name: label, categories: classes, fill: null }
      : { kind: 'numeric', name: label, fill: null };
  return [target, ...columns].map((column) => {
    const at = names.indexOf(column.name);
    if (at < 0) throw unexpected(path, `a column ${quote(column.name)}, as in training`, names.map(quote).join(', '));
    if (names.includes(column.name, at + 1)) {
      throw unexpected(path, 'different column names', `${quote(column.name)} twice`);
    }
    return { column, at, read: readerOf(column, column === target) };
  });
}

function readerOf(column: Column, isLabel: boolean): Reader['read'] {
  const wanted = isLabel ? 'a value to compare with' : column.fill === null ? 'a value, as in training' : null;
  const encode = encoderOf(column, wanted);
  if (column.kind === 'numeric') return encode;
  const seen = new Set(column.categories);
  return (text, where) => (seen.has(text) || isMissing(text) ? encode(text, where) : undefined);
}
