/** The rows of a request, whichever way they came: JSON as KServe and TensorFlow Serving have it, CSV, or JSON lines. */
import type { Column } from '../../training/columns/column.ts';
import { type Decimal, decimalIn } from '../../training/columns/numbers.ts';
import { mediaType } from '../http/body.ts';
import { parseJson, parseText } from '../http/json.ts';
import { quote, RequestError } from '../http/errors.ts';
import { parse, predictRequest } from '../protocol/protocol.ts';
import { queryOptions } from '../protocol/samples.ts';
import { type CsvRow, type Delimiter, parseCsv } from './csv.ts';

/** An object by columns' names, or an array in their order; not yet looked at. */
export interface SentRow {
  /** For a message. */
  readonly where: string;
  readonly row: unknown;
}

export interface SentRows {
  readonly rows: readonly SentRow[];
  /** How numbers among their texts are written. */
  readonly decimal: Decimal;
  /** Of the JSON object's `parameters`, or of the query string. */
  readonly options: Readonly<Record<string, unknown>>;
}

type Parse = (body: Uint8Array, most: number, columns: readonly Column[]) => Pick<SentRows, 'rows'> & Partial<SentRows>;

/** `curl -d` sends JSON as a form, some clients under no type at all. */
const json = ['application/json', 'application/x-www-form-urlencoded', undefined];

export const lineTypes = ['application/jsonl', 'application/x-ndjson'] as const;

const parsers: ReadonlyMap<string | undefined, Parse> = new Map([
  ...json.map((type) => [type, rowsOfJson] as const),
  ...lineTypes.map((type) => [type, rowsOfLines] as const),
  ['text/csv', rowsOfCsv],
]);

/** @throws RequestError for another media type, before the body is read */
export function checkRowsRequest(request: Request): void {
  const type = mediaType(request);
  if (parsers.has(type)) return;
  const expected = `application/json, text/csv or ${lineTypes[0]}`;
  throw new RequestError('unsupported media type', `content-type: expected ${expected}, got ${quote(type ?? '')}`);
}

/**
 * @param columns of the model, as far as they are known
 * @throws RequestError where the body holds no rows, or more than `most`
 */
export function readRows(request: Request, body: Uint8Array, most: number, columns: readonly Column[] = []): SentRows {
  const { rows, decimal = '.', options } = parsers.get(mediaType(request))?.(body, most, columns) ?? { rows: [] };
  if (rows.length === 0) throw new RequestError('malformed', 'body: expected at least one row, got none');
  if (rows.length > most) throw tooMany(most, rows.length);
  return { rows, decimal, options: { ...queryOptions(request.url), ...options } };
}

const tooMany = (most: number, got: number): RequestError =>
  new RequestError('too large', `body: expected at most ${most} rows (MAX_BATCH), got ${got}`);

function rowsOfJson(body: Uint8Array): ReturnType<Parse> {
  const value = parseJson(body);
  if (isRowsRequest(value)) {
    const { instances, parameters = {} } = parse(predictRequest, value);
    return { rows: numbered('instances', instances), options: parameters };
  }
  const isMany = Array.isArray(value) && value.length > 0 && value.every((row) => typeof row === 'object' && row);
  return { rows: isMany ? numbered('body', value) : [{ where: 'row', row: value }] };
}

/** Any other value is a row, or a list of rows. */
export const isRowsRequest = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'instances');

const numbered = (where: string, rows: readonly unknown[]): SentRow[] =>
  rows.map((row, i) => ({ where: `${where}[${i}]`, row }));

const lineEnd = 0x0a;

function rowsOfLines(body: Uint8Array, most: number): ReturnType<Parse> {
  const rows: SentRow[] = [];
  for (let start = 0, line = 1; start < body.byteLength; line++) {
    const next = body.indexOf(lineEnd, start);
    const end = next < 0 ? body.byteLength : next;
    const bytes = body.subarray(start, end);
    start = end + 1;
    if (bytes.every((byte) => byte <= 0x20)) continue;
    if (rows.length === most) throw tooMany(most, rows.length + 1);
    const where = `line ${line}`;
    rows.push({ where, row: parseJson(bytes, where) });
  }
  return { rows };
}

function rowsOfCsv(body: Uint8Array, most: number, columns: readonly Column[]): ReturnType<Parse> {
  const known = columns.map(({ name }) => name);
  const { delimiter, rows: all } = parseCsv(parseText(body), most + 1, known);
  const [header, ...rows] = all;
  const names = header?.cells ?? [];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new RequestError('malformed', `header: expected each column once, got ${quote(twice)} twice`);
  }
  return {
    decimal: decimalOf(delimiter, names, rows, columns),
    rows: rows.map(({ line, cells }) => {
      const where = `line ${line}`;
      if (cells.length !== names.length) {
        throw new RequestError('malformed', `${where}: expected ${names.length} cells, got ${cells.length}`);
      }
      return { where, row: Object.fromEntries(names.map((name, i) => [name, cells[i]])) };
    }),
  };
}

/**
 * As training tells it of a file, by the cells of the columns of numbers.
 * @throws RequestError where commas may part thousands or fractions, and stand between no cells
 */
function decimalOf(
  delimiter: Delimiter,
  names: readonly string[],
  rows: readonly CsvRow[],
  columns: readonly Column[],
): Decimal {
  const numeric = new Set(columns.filter(({ kind }) => kind === 'numeric').map(({ name }) => name));
  const places = [...names.keys()].filter((place) => numeric.has(names[place] ?? ''));
  const decimal = decimalIn(rows.flatMap(({ cells }) => places.map((place) => cells[place] ?? '')));
  if (decimal !== 'either') return decimal ?? '.';
  if (delimiter === ',') return '.';
  const got = 'only such as 1,234, which may be either';
  throw new RequestError('unprocessable', `body: expected numbers that show whether commas part thousands, got ${got}`);
}
