/** A table as whatever reads it gives it: names, and rows of text one after another. */
import type { Decimal } from '../columns/index.ts';
import { unexpected } from '../files/index.ts';

export interface TableRow {
  /** Where the row ends in the file, from 1; of a file without lines its number. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface TableFile {
  readonly names: readonly string[];
  /** How numbers are written. */
  readonly decimal: Decimal;
  /** For people: how the file was understood. */
  readonly notes: readonly string[];
  /** From the first row of data on, some at a time; each call reads the file anew. */
  readonly rows: () => AsyncIterable<readonly TableRow[]>;
  /** How much of the file the last call has read, from 0 to 1. */
  readonly progress: () => number;
}

const MOST_COLUMNS = 100_000;

/** @throws {UserError} naming a table of too many columns */
export function checkWidth(name: string, file: TableFile): TableFile {
  if (file.names.length > MOST_COLUMNS) throw unexpected(name, `at most ${MOST_COLUMNS} columns`, file.names.length);
  return file;
}
