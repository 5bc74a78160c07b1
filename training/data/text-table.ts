/**
 * Opens a table in text from any source of bytes. The caller's options, and otherwise the beginning of the text, tell
 * how it is written.
 */
import { quote } from '../files/index.ts';
import { readCsv } from './csv.ts';
import type { DataSource, Encoding } from './options.ts';
import { type Dialect, sniff } from './csv-dialect.ts';
import type { TableFile, TableRow } from './table-rows.ts';
import { beginningOf, shareOf, type TextSource } from './text.ts';

export type TableFormat = Pick<
  DataSource,
  'delimiter' | 'header' | 'encoding' | 'comment' | 'skipRows' | 'decimal' | 'quote'
>;

/** The options that a text is read with. */
interface Text extends Dialect {
  readonly encoding: Encoding;
  readonly comment: string | undefined;
  /** The number of lines before the header. */
  readonly skipRows: number;
}

/**
 * Opens a table in text.
 *
 * @throws UserError naming the text and what cannot be read of it
 */
export async function openText(source: TextSource, format: TableFormat): Promise<TableFile> {
  const { text, encoding } = await beginningOf(source, format.encoding);
  const { comment, skipRows = 0, header = true } = format;
  const lines = text.split('\n').slice(skipRows);
  // Excel writes this line to name the delimiter.
  const [, separator] = /^sep=(.)\r?$/i.exec(lines[0] ?? '') ?? [];
  const skipped = skipRows + (separator === undefined ? 0 : 1);
  const kept = lines
    .slice(separator === undefined ? 0 : 1)
    .filter((line) => comment === undefined || !line.startsWith(comment));
  const delimiter = format.delimiter ?? separator;
  const defaultDelimiter = /\.(tsv|tab)(\.gz)?$/i.test(source.name) ? '\t' : ',';
  const quotes = format.quote === 'none' ? null : format.quote;
  const dialect = sniff(kept.join('\n'), { delimiter, quote: quotes, decimal: format.decimal }, defaultDelimiter);
  const position = { read: 0, size: 0 };
  const how: Text = { ...dialect, encoding, comment, skipRows: skipped };
  const read = (): AsyncIterable<readonly TableRow[]> => readCsv(source, how, position);
  const first = await firstRow(read());
  const names = namesOf(first?.cells ?? [], header);
  return {
    names,
    decimal: dialect.decimal,
    notes: notesOf(how, format, defaultDelimiter, header ? first?.cells : undefined),
    rows: () => (header ? withoutFirst(read()) : read()),
    progress: () => shareOf(position),
  };
}

async function firstRow(rows: AsyncIterable<readonly TableRow[]>): Promise<TableRow | undefined> {
  for await (const [first] of rows) if (first) return first;
  return undefined;
}

async function* withoutFirst(rows: AsyncIterable<readonly TableRow[]>): AsyncGenerator<readonly TableRow[]> {
  let isFirst = true;
  for await (const some of rows) {
    yield isFirst ? some.slice(1) : some;
    if (some.length > 0) isFirst = false;
  }
}

/**
 * Returns the names of the columns. A column without a name, such as the row numbers that pandas writes, is named by
 * its position.
 */
const namesOf = (cells: readonly string[], header: boolean): readonly string[] =>
  cells.map((cell, index) => (header && cell !== '' ? cell : `${index + 1}`));

const delimiterNames: Readonly<Record<string, string>> = { '\t': 'tabs', ' ': 'blanks' };

function notesOf(
  { delimiter, quote: around, decimal, encoding }: Text,
  format: TableFormat,
  defaultDelimiter: string,
  header: readonly string[] | undefined,
): readonly string[] {
  const found = [
    ...(encoding === 'utf-8' || format.encoding ? [] : [`text in ${encoding.toUpperCase()}`]),
    ...(delimiter === defaultDelimiter || format.delimiter
      ? []
      : [`cells between ${delimiterNames[delimiter] ?? quote(delimiter)}`]),
    ...(around === '"' || format.quote ? [] : [`cells in ${around === "'" ? 'apostrophes' : 'no quotes'}`]),
    ...(decimal === '.' || format.decimal ? [] : ['a decimal comma']),
  ];
  const isData = header && header.length > 1 && header.every((cell) => /^[+-]?\d*\.?\d+(?:e[+-]?\d+)?$/i.test(cell));
  return [
    ...(found.length > 0 ? [`read with ${found.join(', ')}`] : []),
    ...(isData
      ? ['the first row holds numbers only, and is taken for the names of the columns: --no-header takes it as data']
      : []),
  ];
}
