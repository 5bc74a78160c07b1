/**
 * Reads the rows of a request, whichever way they came: JSON as in KServe and TensorFlow Serving, CSV, or JSON lines.
 */
import { present } from '../../training/arrays/index.ts';
import type { Column } from '../../training/columns/column.ts';
import { type Decimal, decimalIn } from '../../training/columns/numbers.ts';
import { mediaType } from '../http/body.ts';
import { parseJson, parseText } from '../http/json.ts';
import { quote, RequestError } from '../errors.ts';
import { parse, predictRequest } from '../protocol/protocol.ts';
import { queryOptions } from '../protocol/samples.ts';
import { type Delimiter, parseCsv } from './csv.ts';

/** Holds a row before it is checked: an object by the columns' names, or an array in their order. */
export interface SentRow {
  /** Names the row in a message. */
  readonly where: string;
  readonly row: unknown;
  /** Lists the columns of a file that the table does not have; such names in a row of JSON are found in the row itself. */
  readonly unknownNames?: readonly string[];
}

export interface SentRows {
  readonly rows: readonly SentRow[];
  /** The decimal separator of numbers in texts. */
  readonly decimal: Decimal;
  /** Holds the options of the JSON object's `parameters`, or of the query string. */
  readonly options: Readonly<Record<string, unknown>>;
}

type Parse = (body: Uint8Array, max: number, columns: readonly Column[]) => Pick<SentRows, 'rows'> & Partial<SentRows>;

/** Media types of JSON: `curl -d` sends that of a form, some clients send none at all. */
const json = ['application/json', 'application/x-www-form-urlencoded', undefined];

export const lineTypes = ['application/jsonl', 'application/x-ndjson'] as const;

const parsers: ReadonlyMap<string | undefined, Parse> = new Map([
  ...json.map((type) => [type, rowsOfJson] as const),
  ...lineTypes.map((type) => [type, rowsOfLines] as const),
  ['text/csv', rowsOfCsv],
]);

/** @throws RequestError when the media type is another, before the body is read */
export function checkRowsRequest(request: Request): void {
  const type = mediaType(request);
  if (parsers.has(type)) return;
  const expected = `application/json, text/csv or ${lineTypes[0]}`;
  throw new RequestError('unsupported media type', `content-type: expected ${expected}, got ${quote(type ?? '')}`);
}

/**
 * @param columns the model's columns, as far as they are known
 * @throws RequestError when the body holds no rows, or more than `max`
 */
export function readRows(request: Request, body: Uint8Array, max: number, columns: readonly Column[] = []): SentRows {
  const { rows, decimal = '.', options } = parsers.get(mediaType(request))?.(body, max, columns) ?? { rows: [] };
  if (rows.length === 0) throw new RequestError('malformed', 'body: expected at least one row, got none');
  return { rows, decimal, options: { ...queryOptions(request.url), ...options } };
}

const tooMany = (max: number, got: string): RequestError =>
  new RequestError('too large', `body: expected at most ${max} rows (MAX_BATCH), got ${got}`);

function rowsOfJson(body: Uint8Array, max: number): ReturnType<Parse> {
  const value = parseJson(body);
  if (isRowsRequest(value)) {
    const { instances, parameters = {} } = parse(predictRequest, value);
    return { rows: numbered('instances', instances, max), options: parameters };
  }
  const isMany = Array.isArray(value) && value.length > 0 && value.every((row) => typeof row === 'object' && row);
  return { rows: isMany ? numbered('body', value, max) : [{ where: 'row', row: value }] };
}

/** Is true for an object with `instances`; any other value is a row, or a list of rows. */
export const isRowsRequest = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'instances');

function numbered(where: string, rows: readonly unknown[], max: number): readonly SentRow[] {
  if (rows.length > max) throw tooMany(max, String(rows.length));
  return rows.map((row, i) => ({ where: `${where}[${i}]`, row }));
}

const lineEnd = 0x0a;
/** The space; it and all lower bytes are skipped at the start of a line. */
const blank = 0x20;

function rowsOfLines(body: Uint8Array, max: number): ReturnType<Parse> {
  const rows: SentRow[] = [];
  for (let at = 0, line = 1; at < body.byteLength; at++) {
    const byte = present(body[at]);
    if (byte === lineEnd) line++;
    if (byte <= blank) continue;
    if (rows.length === max) throw tooMany(max, 'more');
    const next = body.indexOf(lineEnd, at);
    const end = next < 0 ? body.byteLength : next;
    const where = `line ${line}`;
    rows.push({ where, row: parseJson(body.subarray(at, end), where) });
    // The end of the line is next.
    at = end - 1;
  }
  return { rows };
}

/** Reads the rows of a CSV file. Cells of columns that the model does not have are not kept. */
function rowsOfCsv(body: Uint8Array, max: number, columns: readonly Column[]): ReturnType<Parse> {
  const known = new Set(columns.map(({ name }) => name));
  const { delimiter, header, rows } = parseCsv(parseText(body), [...known]);
  const names = new Map<string, number>();
  for (const [place, name] of header.entries()) {
    if (names.has(name)) {
      throw new RequestError('malformed', `header: expected each column once, got ${quote(name)} twice`);
    }
    names.set(name, place);
  }
  const own = [...names].filter(([name]) => known.has(name));
  const unknownNames = header.filter((name) => !known.has(name));
  const sent: SentRow[] = [];
  for (const { line, cells } of rows) {
    if (sent.length === max) throw tooMany(max, 'more');
    const where = `line ${line}`;
    if (cells.length !== header.length) {
      throw new RequestError('malformed', `${where}: expected ${header.length} cells, got ${cells.length}`);
    }
    sent.push({ where, row: Object.fromEntries(own.map(([name, place]) => [name, cells[place]])), unknownNames });
  }
  return { decimal: decimalOf(delimiter, sent, columns), rows: sent };
}

/**
 * Infers from the cells of numeric columns how numbers are written, as training does for a file.
 * @throws RequestError when commas may mark thousands or fractions, and do not separate cells
 */
function decimalOf(delimiter: Delimiter, rows: readonly SentRow[], columns: readonly Column[]): Decimal {
  const numeric = columns.filter(({ kind }) => kind === 'numeric').map(({ name }) => name);
  const cellsOf = ({ row }: SentRow): readonly string[] =>
    numeric.map((name) => (row as Readonly<Record<string, string | undefined>>)[name] ?? '');
  const decimal = decimalIn(rows.flatMap(cellsOf));
  if (decimal !== 'either') return decimal ?? '.';
  if (delimiter === ',') return '.';
  const got = 'only numbers such as 1,234, which may be either';
  throw new RequestError(
    'unprocessable',
    `body: expected numbers that show whether commas separate thousands, got ${got}`,
  );
}
