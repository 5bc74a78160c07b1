/** Tables as text on their way in and out, as RFC 4180 has them: https://www.rfc-editor.org/rfc/rfc4180 */
import { RequestError } from '../http/errors.ts';

export interface CsvRow {
  /** In which the row ends, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * All rows, a header's included; empty lines are skipped.
 * @param most how many rows there may be
 * @throws RequestError where there are more rows, or a quote stands where none may
 */
export function parseCsv(text: string, most: number): readonly CsvRow[] {
  const rows: CsvRow[] = [];
  let [at, line] = [0, 1];
  let cells: string[] = [];
  while (at < text.length) {
    at = behindBlanks(text, at);
    const { cell, end, lines } = text[at] === '"' ? quotedCell(text, at, line) : plainCell(text, at, line);
    cells.push(cell);
    line += lines;
    at = end + 1;
    if (text[end] === ',') {
      // A comma at the very end stands before one more cell.
      if (at < text.length) continue;
      cells.push('');
    }
    if (text[end] === '\r' && text[at] === '\n') at++;
    if (cells.length > 1 || cells[0] !== '') rows.push({ line, cells });
    if (rows.length > most) throw new RequestError('too large', `body: expected at most ${most - 1} rows, got more`);
    cells = [];
    line++;
  }
  return rows;
}

interface Cell {
  readonly cell: string;
  /** Where the comma or the line's end stands behind it. */
  readonly end: number;
  /** How many line ends are in it. */
  readonly lines: number;
}

function plainCell(text: string, start: number, line: number): Cell {
  const end = endOf(text, start);
  const cell = text.slice(start, end);
  if (cell.includes('"')) throw misplaced(line);
  return { cell: cell.trim(), end, lines: 0 };
}

function quotedCell(text: string, start: number, line: number): Cell {
  let quote = text.indexOf('"', start + 1);
  while (quote >= 0 && text[quote + 1] === '"') quote = text.indexOf('"', quote + 2);
  if (quote < 0) throw new RequestError('malformed', `line ${line}: expected a closing quote, got the end`);
  const cell = text.slice(start + 1, quote).replaceAll('""', '"');
  const end = endOf(text, quote + 1);
  if (text.slice(quote + 1, end).trim() !== '') throw misplaced(line);
  return { cell, end, lines: cell.split('\n').length - 1 };
}

const blanks = /[ \t]*/y;

function behindBlanks(text: string, from: number): number {
  blanks.lastIndex = from;
  blanks.test(text);
  return blanks.lastIndex;
}

const separator = /[,\r\n]/g;

function endOf(text: string, from: number): number {
  separator.lastIndex = from;
  return separator.exec(text)?.index ?? text.length;
}

const misplaced = (line: number): RequestError =>
  new RequestError(
    'malformed',
    `line ${line}: expected quotes around a whole cell (and doubled inside it), got one elsewhere`,
  );

/** A line with its end. */
export const csvLine = (cells: readonly string[]): string => `${cells.map(quoted).join(',')}\r\n`;

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
