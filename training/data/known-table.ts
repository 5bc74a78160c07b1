/**
 * A table for a model that exists: nothing is learnt from it. Its columns are found by their names, and its texts mean what they
 * meant in training; rows with a text that the model has never seen are left out and counted.
 */
import {
  type Column,
  expectationOf,
  inputsOf,
  isMissingClass,
  type Reader,
  readerOf,
  widthOf,
} from '../columns/index.ts';
import { quote, unexpected } from '../files/index.ts';
import { type CsvRow, readCsv } from './csv.ts';
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
interface Cell {
  readonly column: Column;
  readonly at: number;
  readonly read: Reader;
}

/** @throws {UserError} naming the file, and line and column for bad content, or where no row is left. */
export async function readKnownTable(path: string, options: TableOptions, known: KnownData): Promise<KnownRows> {
  const table = new KnownTable(path, known);
  let cells: readonly Cell[] | undefined;
  for await (const rows of readCsv(path, delimiterOf(path, options))) {
    for (const row of rows) {
      const isHeader = cells === undefined && (options.header ?? true);
      cells ??= cellsOf(path, namesOf(row.cells, options), options.label, known);
      if (!isHeader) table.add(cells, row);
    }
  }
  return table.read();
}

class KnownTable {
  readonly #path: string;
  readonly #known: KnownData;
  readonly #row: Float32Array;
  readonly #fills: readonly (number | null)[];
  readonly #inputs: number[] = [];
  readonly #targets: number[] = [];
  readonly #lines: number[] = [];
  readonly #unknown = new Map<string, Unknown>();

  constructor(path: string, known: KnownData) {
    this.#path = path;
    this.#known = known;
    this.#fills = inputsOf(known.columns).map(({ fill }) => fill);
    this.#row = new Float32Array(known.columns.reduce((sum, column) => sum + widthOf(column), 1));
  }

  /** @param readers the label's first */
  add(readers: readonly Cell[], { line, cells }: CsvRow): void {
    let place = 0;
    for (const [i, { column, at, read }] of readers.entries()) {
      const text = cells[at] ?? '';
      const objection = read(text, this.#row, place);
      place += widthOf(column);
      if (objection === undefined) continue;
      if (objection === 'unknown') {
        this.#leaveOut(column.name, text);
        return;
      }
      const where = `${this.#path}: line ${line}, column ${quote(column.name)}`;
      const wanted = i === 0 ? 'a value to compare with' : 'a value, as in training';
      if (objection === 'missing') throw unexpected(where, wanted, 'none');
      throw unexpected(where, expectationOf(column, objection), quote(text));
    }
    const [target = NaN, ...values] = this.#row;
    this.#targets.push(target);
    this.#lines.push(line);
    values.forEach((value, i) => this.#inputs.push(Number.isNaN(value) ? (this.#fills[i] ?? NaN) : value));
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
    const { classes } = this.#known;
    const samples = {
      inputs: Float32Array.from(this.#inputs),
      inputShape: [this.#row.length - 1],
      count: targets.length,
      lines: Int32Array.from(this.#lines),
    };
    const dataset: Dataset =
      classes.length > 0
        ? { ...samples, task: 'classification', labels: Int32Array.from(targets), classes }
        : { ...samples, task: 'regression', values: Float32Array.from(targets) };
    return { dataset, unknown };
  }
}

/** The label's first. */
function cellsOf(path: string, names: readonly string[], label: string, { columns, classes }: KnownData): Cell[] {
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
    const isNothing = column === target && classes.length > 0 ? isMissingClass : undefined;
    return { column, at, read: readerOf(column, { isNothing }) };
  });
}
