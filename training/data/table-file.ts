/**
 * Reads tables from files of text, Parquet or JSON lines row by row, so that a file of any size is never in memory as a
 * whole.
 */
import { extname } from 'node:path';
import { at } from '../arrays/index.ts';
import { openJsonLines } from './json-lines.ts';
import { openParquet } from './parquet.ts';
import { type Table, type TableOptions, tableOf } from './table.ts';
import { checkWidth, type TableFile } from './table-rows.ts';
import { fileSource } from './text-file.ts';
import { openText, type TableFormat } from './text-table.ts';

/**
 * Opens a table by the extension of its file.
 *
 * @throws UserError naming the file and what cannot be read of it
 */
export async function openTable(path: string, format: TableFormat): Promise<TableFile> {
  const open = openers.get(extname(path).toLowerCase());
  return checkWidth(path, await (open ? open(path) : openText(fileSource(path), format)));
}

const openers: ReadonlyMap<string, (path: string) => Promise<TableFile>> = new Map([
  ['.parquet', openParquet],
  ['.jsonl', openJsonLines],
  ['.ndjson', openJsonLines],
]);

/**
 * Reads a table as a data set.
 *
 * @throws UserError as `tableOf` does
 */
export const readTable = async (path: string, options: TableOptions): Promise<Table> =>
  tableOf(path, await openTable(path, options), options);

/**
 * Returns the cells of some rows as they stand in the file. The result maps the line in which a row ends to its cells
 * by column.
 */
export async function readCells(
  path: string,
  format: TableFormat,
  lines: ReadonlySet<number>,
): Promise<ReadonlyMap<number, ReadonlyMap<string, string>>> {
  const found = new Map<number, ReadonlyMap<string, string>>();
  const { names, rows: read } = await openTable(path, format);
  for await (const rows of read()) {
    for (const { line, cells } of rows) {
      if (lines.has(line)) found.set(line, new Map(names.map((name, i) => [name, at(cells, i)])));
    }
    if (found.size === lines.size) break;
  }
  return found;
}
