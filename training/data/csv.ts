/**
 * Parses tables in text (RFC 4180 and its dialects) row by row, so that a file of any size is never held in memory as a
 * whole.
 */
import { CsvError, type InfoRecord, type Options, parse } from 'csv-parse';
import { unexpected, type UserError } from '../files/index.ts';
import type { Dialect } from './csv-dialect.ts';
import type { TableRow } from './table-rows.ts';
import type { Encoding } from './options.ts';
import { type Position, REPLACEMENT_CHARACTER, type TextSource, textOf } from './text.ts';

/**
 * The maximum length of a row. A longer one means a quote that is never closed, and is refused before the whole file is
 * in memory.
 */
const MAX_ROW_BYTES = 1_000_000;

export interface CsvOptions extends Pick<Dialect, 'delimiter' | 'quote' | 'escape'> {
  readonly encoding: Encoding;
  /** The text that begins a comment line; comment lines are skipped. */
  readonly comment: string | undefined;
  /** The number of lines to skip before the first row. */
  readonly skipRows: number;
}

/**
 * Yields all rows in order, several at a time. The header is among them, and spaces around cells are trimmed. Empty
 * lines are skipped.
 *
 * @throws UserError naming the text and the line: not UTF-8, a misplaced quote, or a row of another length than the
 * first
 */
export async function* readCsv(
  source: TextSource,
  options: CsvOptions,
  position?: Position,
): AsyncGenerator<readonly TableRow[]> {
  const { name } = source;
  const rows: TableRow[] = [];
  const parser = parse({ ...parserOptions(options), on_record: addTo(rows, name, options.skipRows) });
  // The callbacks of `write` and `end` also receive the error, so this listener only prevents an uncaught one.
  parser.on('error', () => undefined);
  const prepare = options.delimiter === ' ' ? singleBlanks(options) : (text: Uint8Array | string = '') => text;
  try {
    for await (const chunk of afterLines(textOf(source, options.encoding, position), options.skipRows)) {
      await done((callback) => parser.write(prepare(chunk), callback));
      yield rows.splice(0);
    }
    const rest = prepare();
    if (rest.length > 0) await done((callback) => parser.write(rest, callback));
    await done((callback) => parser.end(callback));
    yield rows.splice(0);
  } catch (error) {
    throw error instanceof CsvError ? misplacedQuote(error, name, options.skipRows) : error;
  }
}

/**
 * Returns a callback that collects rows as they are parsed: a stream of row objects would cost more than the parsing.
 */
function addTo(rows: TableRow[], path: string, skipped: number) {
  let width: number | undefined;
  return (cells: readonly string[], { lines }: InfoRecord): null => {
    const row = { line: lines + skipped, cells };
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

const parserOptions = ({ delimiter, quote, escape, comment }: CsvOptions): Options => ({
  bom: true,
  trim: true,
  skip_empty_lines: true,
  relax_column_count: true,
  max_record_size: MAX_ROW_BYTES,
  delimiter: delimiter === ' ' ? '\t' : delimiter,
  quote: quote ?? false,
  ...(escape !== null && { escape }),
  ...(comment !== undefined && { comment, comment_no_infix: true }),
});

const LINE_FEED = 10;

/** Yields what follows the given number of line ends. */
async function* afterLines(
  chunks: AsyncIterable<Uint8Array | string>,
  lines: number,
): AsyncGenerator<Uint8Array | string> {
  let left = lines;
  for await (const chunk of chunks) {
    let start = 0;
    while (left > 0) {
      const end = typeof chunk === 'string' ? chunk.indexOf('\n', start) : chunk.indexOf(LINE_FEED, start);
      if (end < 0) break;
      start = end + 1;
      left--;
    }
    if (left === 0) yield start === 0 ? chunk : typeof chunk === 'string' ? chunk.slice(start) : chunk.subarray(start);
  }
}

/**
 * Returns a function that puts one tab in place of the blanks between two cells, and removes those before the first.
 * Called without a chunk, it returns what the last one has left: a character that is cut off.
 */
function singleBlanks({ quote, escape }: Pick<Dialect, 'quote' | 'escape'>): (chunk?: Uint8Array | string) => string {
  let [isQuoted, isStart, isBlank, isEscaped] = [false, true, false, false];
  const decoder = new TextDecoder();
  return (chunk) => {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: chunk !== undefined });
    let result = '';
    for (const sign of text) {
      if (!isQuoted && (sign === ' ' || sign === '\t')) {
        isBlank = true;
        continue;
      }
      const isEnd = sign === '\n' || sign === '\r';
      if (isBlank && !isStart && !isEnd) result += '\t';
      [isBlank, isStart] = [false, !isQuoted && isEnd];
      if (sign === quote && !isEscaped) isQuoted = !isQuoted;
      isEscaped = isQuoted && !isEscaped && escape !== quote && sign === escape;
      result += sign;
    }
    return result;
  };
}

const HOW_TO_READ = '--delimiter, --skip-rows and --comment say how it is to be read';

function checkRow({ line, cells }: TableRow, width: number, path: string): void {
  if (cells.length !== width)
    throw unexpected(`${path}: line ${line}`, `${width} cells`, `${cells.length}; ${HOW_TO_READ}`);
  const broken = cells.findIndex((cell) => cell.includes(REPLACEMENT_CHARACTER));
  if (broken < 0) return;
  const where = `${path}: line ${line}, column ${broken + 1}`;
  throw unexpected(where, 'text in UTF-8', 'other bytes; --encoding latin1 or cp1252 reads them');
}

const IGNORE_QUOTES = '--quote none takes quotes as they are';

function misplacedQuote(error: CsvError, path: string, skipped: number): UserError {
  const { lines, column } = error as unknown as { lines: number; column: number };
  const where = `${path}: line ${lines + skipped}, column ${column + 1}`;
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') {
    return unexpected(where, 'a closing quote', `the end of the file; ${IGNORE_QUOTES}`);
  }
  if (error.code === 'CSV_MAX_RECORD_SIZE') {
    return unexpected(where, 'a closing quote', `${MAX_ROW_BYTES} bytes without; ${IGNORE_QUOTES}`);
  }
  return unexpected(where, 'quotes around a whole cell (and doubled inside it)', `a quote elsewhere; ${IGNORE_QUOTES}`);
}
