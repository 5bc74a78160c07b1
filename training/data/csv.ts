/** Comma- and tab-separated files (RFC 4180), row by row: a file of any size passes through without being held. */
import { closeSync, openSync, readSync } from 'node:fs';
import { CsvError, type InfoRecord, type Options, parse } from 'csv-parse';
import { cannotRead, unexpected, UserError } from '../files/index.ts';

export interface CsvRow {
  /** Where the row ends in the file, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A longer row means a quote that is never closed; it is refused before the whole file is in memory. */
const MAX_ROW_BYTES = 1_000_000;

/**
 * All rows in order, some at a time, a header's included, without spaces around the cells. Empty lines are skipped.
 *
 * @throws {UserError} naming the file and the line: not UTF-8, a misplaced quote, a row of another length than the first.
 */
export async function* readCsv(path: string, delimiter: string): AsyncGenerator<readonly CsvRow[]> {
  const rows: CsvRow[] = [];
  const parser = parse({ ...OPTIONS, delimiter, on_record: addTo(rows, path) });
  // Whoever writes gets the error as well.
  parser.on('error', () => undefined);
  try {
    for (const chunk of chunksOf(path)) {
      await done((callback) => parser.write(chunk, callback));
      yield rows.splice(0);
    }
    await done((callback) => parser.end(callback));
    yield rows.splice(0);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw error instanceof CsvError ? misplacedQuote(error, path) : cannotRead(path, error);
  }
}

/** Its rows are garbage before V8 collects any: of 64 kB it would copy them first, which takes a fifth of the time more. */
const CHUNK_BYTES = 4096;

/** Without a stream, which would hand every chunk to another thread and back: nothing else is waiting meanwhile. */
function* chunksOf(path: string): Generator<Buffer> {
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const length = readSync(file, chunk);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}

/** Takes rows where they are parsed: as a stream of objects they would cost more than the parsing. */
function addTo(rows: CsvRow[], path: string) {
  let width: number | undefined;
  return (cells: readonly string[], { lines: line }: InfoRecord): null => {
    const row = { line, cells };
    checkRow(row, (width ??= cells.length), path);
    rows.push(row);
    return null;
  };
}

const done = (start: (callback: (error?: Error | null) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    start((error) => {
      if (error) reject(error);
      else resolve();
    });
  });

const OPTIONS: Options = {
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
