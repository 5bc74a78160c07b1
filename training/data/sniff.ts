/** How a table of text is written, as far as its beginning tells: what stands between the cells and around them, and before a fraction. */
import { type Decimal, decimalIn } from '../columns/index.ts';

/** How to take a text apart. */
export interface Dialect {
  /** A blank stands for any number of them. */
  readonly delimiter: string;
  /** Around cells; null where quotes are signs like any other. */
  readonly quote: string | null;
  /** Before a quote that belongs to a cell: the quote itself, or a backslash. */
  readonly escape: string | null;
  readonly decimal: Decimal;
}

/** What is said of it, and is not guessed. */
export type GivenDialect = { readonly [K in keyof Dialect]?: Dialect[K] | undefined };

const MOST_LINES = 300;

/**
 * @param text the beginning, without what is to be skipped; its last line may be cut
 * @param otherwise the delimiter of a text that has none
 */
export function sniff(text: string, given: GivenDialect, otherwise: string): Dialect {
  const quote = given.quote === undefined ? quoteOf(text) : given.quote;
  const escape =
    quote !== null && text.includes(`\\${quote}`) && !text.includes(`${quote}${quote}${quote}`) ? '\\' : quote;
  const delimiter = given.delimiter ?? delimiterOf(text, { quote, escape }) ?? otherwise;
  return { delimiter, quote, escape, decimal: given.decimal ?? decimalOf(text, { delimiter, quote, escape }) };
}

/** Apostrophes where cells begin and end with them, and none with double quotes. */
function quoteOf(text: string): string {
  const around = (quote: string) =>
    text.match(new RegExp(`(?:^|[,;\\t|])\\s*${quote}[^${quote}\\n]*${quote}\\s*(?=[,;\\t|\\r\\n]|$)`, 'gm'))?.length ??
    0;
  return around('"') === 0 && around("'") > 2 ? "'" : '"';
}

type Quotes = Pick<Dialect, 'quote' | 'escape'>;

const candidates = ['\t', ';', ',', '|', ' '] as const;

/** What cuts most lines into as many cells as the first has, and into more than others do; none for a single column. */
function delimiterOf(text: string, quotes: Quotes): string | undefined {
  let best: { readonly delimiter: string; readonly share: number; readonly cells: number } | undefined;
  for (const delimiter of candidates) {
    const [first = [], ...lines] = cellsOf(text, { delimiter, ...quotes });
    const same = lines.filter((cells) => cells.length === first.length).length;
    const share = (1 + same) / (1 + lines.length);
    if (first.length < 2 || (best && (share < best.share || (share === best.share && first.length <= best.cells))))
      continue;
    // Words are separated by blanks, too.
    if (delimiter === ' ' && (best || share < 0.9)) continue;
    best = { delimiter, share, cells: first.length };
  }
  return best?.delimiter;
}

/** Where all numbers may be read either way, commas part nothing but fractions if cells are not separated by commas. */
function decimalOf(text: string, dialect: Omit<Dialect, 'decimal'>): Decimal {
  const found = decimalIn(cellsOf(text, dialect).flat());
  if (found === 'either') return dialect.delimiter === ',' ? '.' : ',';
  return found ?? '.';
}

/** The cells of the first lines but the last, which may be cut. */
export function cellsOf(
  text: string,
  { delimiter, quote, escape }: Omit<Dialect, 'decimal'>,
): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let [row, cell, isQuoted]: [string[], string, boolean] = [[], '', false];
  for (let at = 0; at < text.length && rows.length < MOST_LINES; at++) {
    const sign = text[at] ?? '';
    if (isQuoted) {
      if (sign === escape && text[at + 1] === quote) cell += text[++at] ?? '';
      else if (sign === quote) isQuoted = false;
      else cell += sign;
    } else if (sign === quote && cell.trim() === '') isQuoted = true;
    else if (sign === delimiter) {
      // Blanks before the first cell and beside each other separate nothing.
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
