/**
 * Reads and writes tables as text by RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180). Other delimiters can be read as
 * well.
 */
import { RequestError } from '../errors.ts';

export interface CsvRow {
  /** The line in which the row ends, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface Csv {
  readonly delimiter: Delimiter;
  readonly header: readonly string[];
  /** Yields the rows without empty lines. They are read one after the other, so that no more than one is held. */
  readonly rows: Iterable<CsvRow>;
}

export type Delimiter = ',' | ';' | '\t' | '|';

const delimiters: readonly Delimiter[] = [',', ';', '\t', '|'];

const [tab, lineFeed, carriageReturn, blank, quoteMark] = [0x09, 0x0a, 0x0d, 0x20, 0x22];

/** The maximum number of cells of a row, the same as in training. */
const MAX_CELLS = 100_000;

/** Matches the line that Excel writes for itself before the header. */
const excelsLine = /^sep=([,;\t|])(?:\r\n?|\n)/i;

/**
 * @param names the names that the header may hold, from which the delimiter is recognized
 * @throws RequestError, also while the rows are read, when a quote is misplaced, or a row has too many cells
 */
export function parseCsv(text: string, names: readonly string[] = []): Csv {
  const [line = '', stated] = excelsLine.exec(text) ?? [];
  const table = { text, start: line.length, line: line === '' ? 1 : 2 };
  const delimiter = (stated as Delimiter | undefined) ?? delimiterOf(table, names);
  const rows = rowsOf(table, delimiter);
  const first = rows.next();
  return { delimiter, header: first.done ? [] : first.value.cells, rows };
}

interface Table {
  readonly text: string;
  /** `start` is the offset at which the table begins, and `line` its line. */
  readonly start: number;
  readonly line: number;
}

/** Returns the delimiter that cuts the header into most of the names, or else into most cells. */
function delimiterOf(table: Table, names: readonly string[]): Delimiter {
  const known = new Set(names);
  const all = delimiters.map((delimiter) => {
    const cells = headerOf(table, delimiter);
    return { delimiter, found: cells.filter((cell) => known.has(cell)).length, cells: cells.length };
  });
  return all.reduce((best, each) =>
    each.found > best.found || (each.found === best.found && each.cells > best.cells) ? each : best,
  ).delimiter;
}

/** Returns the cells of the header; none when a misplaced quote prevents it. */
function headerOf(table: Table, delimiter: Delimiter): readonly string[] {
  try {
    const [first] = rowsOf(table, delimiter);
    return first?.cells ?? [];
  } catch {
    return [];
  }
}

function* rowsOf({ text, start, line: first }: Table, delimiter: Delimiter): Generator<CsvRow, undefined> {
  const end = delimiter.charCodeAt(0);
  let [at, line] = [start, first];
  let cells: string[] = [];
  let isEmpty = true;
  for (;;) {
    if (cells.length === 0) ({ at, line } = skipEmptyLines(text, at, line));
    if (at >= text.length) return;
    at = skipBlanks(text, at, end);
    const isQuoted = text.charCodeAt(at) === quoteMark;
    const cell = (isQuoted ? quotedCell : plainCell)(text, at, line, end);
    cells.push(cell.text);
    if (cells.length > MAX_CELLS) {
      throw new RequestError('too large', `line ${line}: expected at most ${MAX_CELLS} cells, got more`);
    }
    // A row whose only cell is missing has quotes around it, which distinguish it from an empty line.
    isEmpty &&= cell.text === '' && !isQuoted;
    line += cell.lines;
    at = cell.end + 1;
    const code = text.charCodeAt(cell.end);
    if (code === end) {
      // A delimiter at the very end is followed by one more cell, which is empty.
      isEmpty = false;
      if (at < text.length) continue;
      cells.push('');
    }
    if (code === carriageReturn && text.charCodeAt(at) === lineFeed) at++;
    if (!isEmpty) yield { line, cells };
    [cells, isEmpty] = [[], true];
    line++;
  }
}

function skipEmptyLines(text: string, from: number, first: number): { readonly at: number; readonly line: number } {
  let [at, line] = [from, first];
  for (; ; at++) {
    const code = text.charCodeAt(at);
    if (code !== lineFeed && code !== carriageReturn) return { at, line };
    // Both together end one line only.
    if (code !== carriageReturn || text.charCodeAt(at + 1) !== lineFeed) line++;
  }
}

interface Cell {
  readonly text: string;
  /** The offset of the delimiter or the line's end after the cell. */
  readonly end: number;
  /** Counts the line ends inside the cell. */
  readonly lines: number;
}

function plainCell(text: string, start: number, line: number, delimiter: number): Cell {
  const end = endOf(text, start, delimiter);
  const cell = text.slice(start, end);
  if (cell.includes('"')) throw misplaced(line);
  return { text: cell.trim(), end, lines: 0 };
}

function quotedCell(text: string, start: number, line: number, delimiter: number): Cell {
  let quote = text.indexOf('"', start + 1);
  while (quote >= 0 && text.charCodeAt(quote + 1) === quoteMark) quote = text.indexOf('"', quote + 2);
  if (quote < 0) throw new RequestError('malformed', `line ${line}: expected a closing quote, got the end`);
  // Replacing millions of doubled quotes one by one would take hundreds of megabytes.
  const cell = text
    .slice(start + 1, quote)
    .split('""')
    .join('"');
  const end = endOf(text, quote + 1, delimiter);
  if (text.slice(quote + 1, end).trim() !== '') throw misplaced(line);
  return { text: cell, end, lines: linesIn(cell) };
}

function linesIn(cell: string): number {
  let lines = 0;
  for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) lines++;
  return lines;
}

/** Skips blanks before a cell; a tab is skipped unless it separates cells. */
function skipBlanks(text: string, from: number, delimiter: number): number {
  let at = from;
  for (; ; at++) {
    const code = text.charCodeAt(at);
    if (code !== blank && (code !== tab || delimiter === tab)) return at;
  }
}

function endOf(text: string, from: number, delimiter: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === delimiter || code === lineFeed || code === carriageReturn) break;
  }
  return at;
}

const misplaced = (line: number): RequestError =>
  new RequestError(
    'malformed',
    `line ${line}: expected quotes around a whole cell (and doubled inside it), got one elsewhere`,
  );

/** Formats a line with its end. */
export const csvLine = (cells: readonly string[]): string => `${cells.map(quoted).join(',')}\r\n`;

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
