/** Comma- and tab-separated files (RFC 4180), row by row: a file of any size passes through without being held. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { CsvError, parse, type Info, type Options } from 'csv-parse';
import { UserError, unexpected } from '../errors.ts';
import { cannotRead } from '../files.ts';

export interface CsvRow {
  /** Where the row ends in the file, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A longer row means a quote that is never closed; it is refused before the whole file is in memory. */
const MAX_ROW_BYTES = 1_000_000;

/**
 * All rows, a header's included, without spaces around the cells. Empty lines are skipped.
 *
 * @throws {UserError} naming the file and the line: not UTF-8, a misplaced quote, a row of another length than the first.
 */
export async function* readCsv(path: string, delimiter: string): AsyncGenerator<CsvRow> {
  const parser = parse({ ...OPTIONS, delimiter });
  // A failure of the file destroys the parser too and so ends the iteration below.
  pipeline(createReadStream(path), parser, () => undefined);
  let width: number | undefined;
  try {
    for await (const { record: cells, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      const row = { line: info.lines, cells };
      width ??= cells.length;
      checkRow(row, width, path);
      yield row;
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw error instanceof CsvError ? misplacedQuote(error, path) : cannotRead(path, error);
  }
}

const OPTIONS: Options = {
  info: true,
  bom: true,
  trim: true,
  skip_empty_lines: true,
  relax_column_count: true,
  max_record_size: MAX_ROW_BYTES,
};

/** What the decoder puts in place of bytes that are not UTF-8. */
const REPLACEMENT_CHARACTER = '\uFFFD';

function checkRow({ line, cells }: CsvRow, width: number, path: string): void {
  if (cells.length !== width) throw unexpected(`${path}: line ${line}`, `${width} cells`, cells.length);
  const broken = cells.findIndex((cell) => cell.includes(REPLACEMENT_CHARACTER));
  if (broken >= 0) throw unexpected(`${path}: line ${line}, column ${broken + 1}`, 'text in UTF-8', 'other bytes');
}

function misplacedQuote(error: CsvError, path: string): UserError {
  const { lines, column } = error as unknown as { lines: number; column: number };
  const where = `${path}: line ${lines}, column ${column + 1}`;
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return unexpected(where, 'a closing quote', 'the end of the file');
  if (error.code === 'CSV_MAX_RECORD_SIZE') {
    return unexpected(where, 'a closing quote', `${MAX_ROW_BYTES} bytes without`);
  }
  return unexpected(where, 'quotes around a whole cell (and doubled inside it)', 'a quote elsewhere');
}
