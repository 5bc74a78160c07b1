/** The interface of all table readers: column names, and rows of text. */
import type { Decimal } from '../columns/index.ts';
import { unexpected } from '../files/index.ts';

export interface TableRow {
  /** The line in which the row ends, from 1; in a file without lines, the row's number. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface TableFile {
  readonly names: readonly string[];
  /** The decimal separator of the file's numbers. */
  readonly decimal: Decimal;
  /** Tells the user how the file was understood. */
  readonly notes: readonly string[];
  /** Yields the rows of data from the first one, several at a time. Each call reads the file anew. */
  readonly rows: () => AsyncIterable<readonly TableRow[]>;
  /** Returns the share of the file that the last call of `rows` has read, from 0 to 1. */
  readonly progress: () => number;
}

const MAX_COLUMNS = 100_000;

/**
 * Returns the file if it does not have too many columns.
 *
 * @throws UserError naming a table of too many columns
 */
export function checkWidth(name: string, file: TableFile): TableFile {
  if (file.names.length > MAX_COLUMNS) throw unexpected(name, `at most ${MAX_COLUMNS} columns`, file.names.length);
  return file;
}
