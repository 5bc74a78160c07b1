/** Infers the dialect of a table in text from its beginning: the delimiter, the quotes and the decimal separator. */
import { type Decimal, decimalIn } from '../columns/index.ts';

/** The dialect of a text: how cells are separated and quoted, and numbers written. */
export interface Dialect {
  /** The character between cells. A blank stands for any number of blanks. */
  readonly delimiter: string;
  /** The character around cells; null where quotes are ordinary characters. */
  readonly quote: string | null;
  /** The character before a quote that belongs to a cell: the quote itself, or a backslash. */
  readonly escape: string | null;
  readonly decimal: Decimal;
}

/** The members that the user gives, which are not inferred. */
export type GivenDialect = { readonly [K in keyof Dialect]?: Dialect[K] | undefined };

const MAX_LINES = 300;

/**
 * Infers a text's dialect.
 *
 * @param text the beginning, without the lines to be skipped; its last line may be cut
 * @param defaultDelimiter the delimiter of a text in which none is found
 */
export function sniff(text: string, given: GivenDialect, defaultDelimiter: string): Dialect {
  const quote = given.quote === undefined ? quoteOf(text) : given.quote;
  const escape =
    quote !== null && text.includes(`\\${quote}`) && !text.includes(`${quote}${quote}${quote}`) ? '\\' : quote;
  const delimiter = given.delimiter ?? delimiterOf(text, { quote, escape }) ?? defaultDelimiter;
  return { delimiter, quote, escape, decimal: given.decimal ?? decimalOf(text, { delimiter, quote, escape }) };
}

/** Returns the apostrophe where cells begin and end with it and none with double quotes, otherwise the double quote. */
function quoteOf(text: string): string {
  const around = (quote: string) =>
    text.match(new RegExp(`(?:^|[,;\\t|])\\s*${quote}[^${quote}\\n]*${quote}\\s*(?=[,;\\t|\\r\\n]|$)`, 'gm'))?.length ??
    0;
  return around('"') === 0 && around("'") > 2 ? "'" : '"';
}

type Quotes = Pick<Dialect, 'quote' | 'escape'>;

const candidates = ['\t', ';', ',', '|', ' '] as const;

/**
 * Returns the delimiter that splits the most lines into as many cells as the first line, and into more cells than other
 * such delimiters; undefined for a single column.
 */
function delimiterOf(text: string, quotes: Quotes): string | undefined {
  let best: { readonly delimiter: string; readonly share: number; readonly cells: number } | undefined;
  for (const delimiter of candidates) {
    const [first = [], ...lines] = cellsOf(text, { delimiter, ...quotes });
    const same = lines.filter((cells) => cells.length === first.length).length;
    const share = (1 + same) / (1 + lines.length);
    if (first.length < 2 || (best && (share < best.share || (share === best.share && first.length <= best.cells))))
      continue;
    // Blanks also separate words.
    if (delimiter === ' ' && (best || share < 0.9)) continue;
    best = { delimiter, share, cells: first.length };
  }
  return best?.delimiter;
}

/**
 * Infers the decimal separator. Where every number can be read either way, commas are decimal separators unless they
 * separate cells.
 */
function decimalOf(text: string, dialect: Omit<Dialect, 'decimal'>): Decimal {
  const found = decimalIn(cellsOf(text, dialect).flat());
  if (found === 'either') return dialect.delimiter === ',' ? '.' : ',';
  return found ?? '.';
}

/** Returns the cells of the first lines, without the last line, which may be cut. */
function cellsOf(text: string, { delimiter, quote, escape }: Omit<Dialect, 'decimal'>): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let [row, cell, isQuoted]: [string[], string, boolean] = [[], '', false];
  for (let at = 0; at < text.length && rows.length < MAX_LINES; at++) {
    const sign = text.charAt(at);
    if (isQuoted) {
      if (sign === escape && text[at + 1] === quote) cell += text.charAt(++at);
      else if (sign === quote) isQuoted = false;
      else cell += sign;
    } else if (sign === quote && cell.trim() === '') isQuoted = true;
    else if (sign === delimiter) {
      // Leading and repeated blanks separate nothing.
      if (delimiter === ' ' && cell === '') continue;
      row.push(cell.trim());
      cell = '';
    } else if (sign === '\n') {
      if (cell !== '' || delimiter !== ' ') row.push(cell.trim());
      if (row.some((each) => each !== '')) rows.push(row);
      [row, cell] = [[], ''];
    } else if (sign !== '\r') cell += sign;
  }
  if (rows.length === 0) rows.push([...row, cell.trim()]);
  return rows;
}
