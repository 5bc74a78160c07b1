/**
 * Tables as text on their way in and out, as RFC 4180 has them (https://www.rfc-editor.org/rfc/rfc4180); on their way in with other
 * delimiters, too.
 */
import { RequestError } from '../http/errors.ts';

export interface CsvRow {
  /** In which the row ends, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface Csv {
  readonly delimiter: Delimiter;
  /** A header's included, empty lines left out. */
  readonly rows: readonly CsvRow[];
}

export type Delimiter = ',' | ';' | '\t' | '|';

/** What stands before a cell and does not count, and what ends it. */
const signs: Readonly<Record<Delimiter, { readonly blanks: RegExp; readonly ends: RegExp }>> = {
  ',': { blanks: /[ \t]*/y, ends: /[,\r\n]/g },
  ';': { blanks: /[ \t]*/y, ends: /[;\r\n]/g },
  '\t': { blanks: / */y, ends: /[\t\r\n]/g },
  '|': { blanks: /[ \t]*/y, ends: /[|\r\n]/g },
};

/** What Excel writes for itself before the header. */
const excelsLine = /^sep=([,;\t|])(?:\r\n?|\n)/i;

/**
 * @param most how many rows there may be
 * @param names that the header may hold: they tell what delimits them
 * @throws RequestError where there are more rows, or a quote stands where none may
 */
export function parseCsv(text: string, most: number, names: readonly string[] = []): Csv {
  const [line = '', said] = excelsLine.exec(text) ?? [];
  const table = { text, start: line.length, line: line === '' ? 1 : 2 };
  const delimiter = (said as Delimiter | undefined) ?? delimiterOf(table, names);
  const rows: CsvRow[] = [];
  for (const row of rowsOf(table, delimiter)) {
    if (rows.push(row) > most)
      throw new RequestError('too large', `body: expected at most ${most - 1} rows (MAX_BATCH), got more`);
  }
  return { delimiter, rows };
}

interface Table {
  readonly text: string;
  /** Where it begins, and in which line. */
  readonly start: number;
  readonly line: number;
}

/** What cuts the header into most of the names, and else into most cells. */
function delimiterOf(table: Table, names: readonly string[]): Delimiter {
  const known = new Set(names);
  const all = (Object.keys(signs) as Delimiter[]).map((delimiter) => {
    const cells = headerOf(table, delimiter);
    return { delimiter, found: cells.filter((cell) => known.has(cell)).length, cells: cells.length };
  });
  return all.reduce((best, one) =>
    one.found > best.found || (one.found === best.found && one.cells > best.cells) ? one : best,
  ).delimiter;
}

/** None where a quote stands in the way. */
function headerOf(table: Table, delimiter: Delimiter): readonly string[] {
  try {
    const [first] = rowsOf(table, delimiter);
    return first?.cells ?? [];
  } catch {
    return [];
  }
}

function* rowsOf({ text, start, line: first }: Table, delimiter: Delimiter): Generator<CsvRow, undefined> {
  let [at, line] = [start, first];
  let cells: string[] = [];
  let isEmpty = true;
  while (at < text.length) {
    at = behindBlanks(text, at, delimiter);
    const isQuoted = text[at] === '"';
    const { cell, end, lines } = (isQuoted ? quotedCell : plainCell)(text, at, line, delimiter);
    cells.push(cell);
    // A missing value that is alone in its row has quotes around it.
    isEmpty &&= cell === '' && !isQuoted;
    line += lines;
    at = end + 1;
    if (text[end] === delimiter) {
      // A delimiter at the very end stands before one more cell.
      isEmpty = false;
      if (at < text.length) continue;
      cells.push('');
    }
    if (text[end] === '\r' && text[at] === '\n') at++;
    if (!isEmpty) yield { line, cells };
    [cells, isEmpty] = [[], true];
    line++;
  }
}

interface Cell {
  readonly cell: string;
  /** Where the delimiter or the line's end stands behind it. */
  readonly end: number;
  /** How many line ends are in it. */
  readonly lines: number;
}

function plainCell(text: string, start: number, line: number, delimiter: Delimiter): Cell {
  const end = endOf(text, start, delimiter);
  const cell = text.slice(start, end);
  if (cell.includes('"')) throw misplaced(line);
  return { cell: cell.trim(), end, lines: 0 };
}

function quotedCell(text: string, start: number, line: number, delimiter: Delimiter): Cell {
  let quote = text.indexOf('"', start + 1);
  while (quote >= 0 && text[quote + 1] === '"') quote = text.indexOf('"', quote + 2);
  if (quote < 0) throw new RequestError('malformed', `line ${line}: expected a closing quote, got the end`);
  const cell = text.slice(start + 1, quote).replaceAll('""', '"');
  const end = endOf(text, quote + 1, delimiter);
  if (text.slice(quote + 1, end).trim() !== '') throw misplaced(line);
  return { cell, end, lines: cell.split('\n').length - 1 };
}

function behindBlanks(text: string, from: number, delimiter: Delimiter): number {
  const { blanks } = signs[delimiter];
  blanks.lastIndex = from;
  blanks.test(text);
  return blanks.lastIndex;
}

function endOf(text: string, from: number, delimiter: Delimiter): number {
  const { ends } = signs[delimiter];
  ends.lastIndex = from;
  return ends.exec(text)?.index ?? text.length;
}

const misplaced = (line: number): RequestError =>
  new RequestError(
    'malformed',
    `line ${line}: expected quotes around a whole cell (and doubled inside it), got one elsewhere`,
  );

/** A line with its end. */
export const csvLine = (cells: readonly string[]): string => `${cells.map(quoted).join(',')}\r\n`;

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
