/** Turns rows as they came into the tensor that the model takes, by the function that prepared its training rows. */
import type { Column } from '../../training/columns/column.ts';
import { isMissing } from '../../training/columns/missing.ts';
import { type Complaint, expectationOf, rowPreparer } from '../../training/columns/prepare.ts';
import type { UnknownCategory } from '../drift/monitor.ts';
import { describe, quote, RequestError } from '../errors.ts';
import type { Tensor } from '../protocol/datatypes.ts';
import type { Unknown } from '../image.ts';
import type { SentRow, SentRows } from './read-rows.ts';
import { nearest } from './nearest.ts';
import type { RowTable } from './table.ts';

export interface PreparedRows {
  readonly tensor: Tensor;
  /** Lists for each row what was left out or filled, and what is far from the values of training. */
  readonly warnings: readonly (readonly string[])[];
  /** Lists the categories that their columns do not have and that were filled. */
  readonly unknown: readonly UnknownCategory[];
}

export type Rows = Pick<SentRows, 'rows' | 'decimal'>;

/**
 * @param unknown undefined when everything unknown is refused, whatever a request says
 * @throws RequestError naming row, column and what may stand there, unless `unknown` prefers an answer
 */
export function prepareRows(table: RowTable, { rows, decimal }: Rows, unknown: Unknown | undefined): PreparedRows {
  const { input, columns, farIn } = table;
  const preparer = decimal === '.' ? table.preparer : rowPreparer(columns, { decimal });
  const [batch = -1] = input.shape;
  if (batch !== -1 && batch !== rows.length) {
    throw new RequestError('malformed', `body: expected ${batch} rows, as the model takes, got ${rows.length}`);
  }
  const data = new Float32Array(rows.length * preparer.width);
  const filled: UnknownCategory[] = [];
  const warnings = rows.map((sent, i) => {
    const { where } = sent;
    const notes: string[] = [];
    const values = valuesOf(table, sent, unknown, notes);
    const excuse = (complaint: Complaint): boolean => {
      if (unknown !== 'fill' || complaint.objection === 'missing' || isStructure(complaint.value)) return false;
      const { column, value } = complaint;
      if (column.kind === 'categorical') filled.push({ row: i, column: column.name });
      notes.push(`${placeOf(column)}: ${shown(value)} is ${whatIsWrong(complaint)} and counts as missing`);
      return true;
    };
    const complaint = preparer.prepare(values, data, i * preparer.width, excuse);
    if (complaint) throw refusal(where, complaint, columns, values, unknown !== undefined);
    for (const { column, value, range } of farIn(values, data, i * preparer.width)) {
      notes.push(`${placeOf(column)}: ${shown(value)} is far from the values of training, ${range.join(' to ')}`);
    }
    return notes;
  });
  return {
    tensor: { datatype: input.datatype, shape: [rows.length, preparer.width], data },
    warnings,
    unknown: filled,
  };
}

/** @param notes collects a warning for each name that is left out */
function valuesOf(
  table: RowTable,
  { where, row, unknownNames = [] }: SentRow,
  unknown: Unknown | undefined,
  notes: string[],
): readonly unknown[] {
  const { names } = table;
  if (Array.isArray(row)) {
    if (row.length === names.length) return row;
    const listed = listOf(names);
    throw new RequestError('unprocessable', `${where}: expected ${names.length} values, ${listed}, got ${row.length}`);
  }
  if (!isStructure(row)) {
    const expected = 'an object by columns, or an array in their order';
    throw new RequestError('unprocessable', `${where}: expected ${expected}, got ${describe(row)}`);
  }
  const known = row as Readonly<Record<string, unknown>>;
  let count = 0;
  const values = names.map((name) => {
    if (!Object.hasOwn(known, name)) return undefined;
    count++;
    return known[name];
  });
  const others = Object.keys(known).length > count ? othersIn(known, names) : unknownNames;
  if (others.length > 0) leaveOut(table, where, others, unknown, notes);
  return values;
}

function othersIn(row: object, names: readonly string[]): readonly string[] {
  const own = new Set(names);
  return Object.keys(row).filter((name) => !own.has(name));
}

function leaveOut(
  { names }: RowTable,
  where: string,
  others: readonly string[],
  unknown: Unknown | undefined,
  notes: string[],
): void {
  if (unknown === undefined || unknown === 'refuse') {
    const [name = ''] = others;
    const way = unknown ? '; unknown=ignore leaves others out' : '';
    throw new RequestError(
      'unprocessable',
      `${where}: expected columns ${listOf(names)}, got ${quote(name)}${meant(name, names)}${way}`,
    );
  }
  const left = others.slice(0, MAX_NAMED).map((name) => `column ${quote(name)} is unknown and left out`);
  notes.push(...left, ...(others.length > MAX_NAMED ? [`and ${others.length - MAX_NAMED} columns more`] : []));
}

/** Explains a refusal. When a value is missing it names all gaps of the row, so that they can be filled in one go. */
function refusal(
  where: string,
  { column, objection, value }: Complaint,
  columns: readonly Column[],
  values: readonly unknown[],
  maySayUnknown: boolean,
): RequestError {
  const isGap = ({ fill }: Column, i: number): boolean => fill === null && isNothing(values[i]);
  const gaps = objection === 'missing' ? columns.filter(isGap) : [];
  if (gaps.length > 1) {
    const names = listOf(gaps.map(({ name }) => name));
    return new RequestError(
      'unprocessable',
      `${where}, columns ${names}: expected values (none was missing in training), got none`,
    );
  }
  const expected = expectationOf(column, objection);
  const isNumber = column.kind === 'numeric' && column.fill !== null;
  const why = objection === 'missing' ? ' (none was missing in training)' : isNumber ? ', or null or "" for a gap' : '';
  const isText = column.kind === 'categorical' && objection === 'unknown' && typeof value === 'string';
  const guess = isText ? meant(value, column.categories) : '';
  const isWay = maySayUnknown && column.fill !== null && !isStructure(value);
  const way = isWay ? '; unknown=fill counts it as missing' : '';
  return new RequestError(
    'unprocessable',
    `${where}, ${placeOf(column)}: expected ${expected}${why}, got ${shown(value)}${guess}${way}`,
  );
}

const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && isMissing(value.trim()));

const placeOf = ({ name }: Column): string => `column ${JSON.stringify(name)}`;

const isStructure = (value: unknown): boolean => typeof value === 'object' && value !== null;

const shown = (value: unknown): string => (typeof value === 'string' ? quote(value) : describe(value));

const whatIsWrong = ({ objection }: Complaint): string => (objection === 'unknown' ? 'an unknown category' : objection);

function meant(text: string, names: readonly string[]): string {
  const name = nearest(text, names);
  return name === undefined ? '' : ` (did you mean ${quote(name)}?)`;
}

const MAX_NAMED = 10;

const listOf = (names: readonly string[]): string =>
  names.slice(0, MAX_NAMED).map(quote).join(', ') +
  (names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '');
