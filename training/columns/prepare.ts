/**
 * Converts the values of a row (cells of a file, or members of a JSON object) to the numbers that a model takes: one
 * for a number or a category, several for a date, NaN for a missing value. The model itself normalizes, expands
 * categories and fills gaps.
 */
import type { CategoricalColumn, Column, DatePart } from './column.ts';
import { numbersOf, parseDate, writeDate } from './dates.ts';
import { isMissing } from './missing.ts';
import { type Decimal, parseNumber } from './numbers.ts';

/** The maximum magnitude of a number: the largest float32 itself is often written for a missing number. */
export const LARGEST = 3.4e38;

/** One number of a raw row. */
export interface InputColumn {
  readonly column: Column;
  /** The column's name, followed by the part of a date. */
  readonly name: string;
  /** The number of categories; 0 for a number. */
  readonly categories: number;
  /** Replaces NaN; null where NaN must not occur. */
  readonly fill: number | null;
  /** Is true where an extra input tells the model that the value was NaN. */
  readonly indicator: boolean;
}

/** Returns the numbers that a row becomes, in order. */
export const inputsOf = (columns: readonly Column[]): readonly InputColumn[] => columns.flatMap(inputsOfColumn);

export const widthOf = (column: Column): number =>
  column.kind === 'date' ? column.parts.reduce((sum, part) => sum + numbersOf(part), 0) : 1;

function inputsOfColumn(column: Column): readonly InputColumn[] {
  const { name, fill } = column;
  if (column.kind === 'categorical') {
    // A fill beyond the last category is a category of its own.
    const categories = Math.max(column.categories.length, (fill ?? 0) + 1);
    return [{ column, name, categories, fill, indicator: false }];
  }
  const indicator = column.indicator === true;
  if (column.kind === 'numeric') return [{ column, name, categories: 0, fill, indicator }];
  return column.parts.flatMap((part, i) =>
    namesOf(name, part).map((name, j) => ({
      column,
      name,
      categories: 0,
      fill: fill === null || part === 'year' ? fill : 0,
      indicator: indicator && i === 0 && j === 0,
    })),
  );
}

const namesOf = (name: string, part: DatePart): readonly string[] =>
  part === 'year' ? [`${name} (year)`] : [`${name} (${part}, sine)`, `${name} (${part}, cosine)`];

/** The reason why a value does not belong to its column. */
export type Objection = 'missing' | 'unknown' | 'not a number' | 'too large' | 'not a date';

/** Writes a value's numbers, or returns why it has none. */
export type Reader = (value: unknown, into: Float32Array | Int32Array, at: number) => Objection | undefined;

export interface ReaderOptions {
  readonly decimal?: Decimal | undefined;
  /** Allows a value to be missing. Default: as the column says. */
  readonly mayMiss?: boolean | undefined;
  /** Recognizes a cell without a value. */
  readonly isNothing?: ((text: string) => boolean) | undefined;
}

export function readerOf(column: Column, options: ReaderOptions = {}): Reader {
  const { mayMiss = column.fill !== null } = options;
  const isNothing = nothingFor(column, options.isNothing ?? isMissing);
  const read = valueReader(column, options);
  const width = widthOf(column);
  const othersMissing = mayMiss && column.kind !== 'categorical' && column.othersMissing === true;
  const missing: Reader = (_, into, at) => {
    if (!mayMiss) return 'missing';
    for (let i = at; i < at + width; i++) into[i] = NaN;
    return undefined;
  };
  return (value, into, at) => {
    if (value === null || value === undefined || (typeof value === 'string' && isNothing(value)))
      return missing(value, into, at);
    const objection = read(value, into, at);
    // Objects and arrays never occur in files, so they do not count as missing.
    const isOther = objection !== undefined && othersMissing && typeof value !== 'object';
    return isOther ? missing(value, into, at) : objection;
  };
}

/** Makes an exception for texts that are categories of the column: they never count as missing. */
function nothingFor(column: Column, isNothing: (text: string) => boolean): (text: string) => boolean {
  const named = column.kind === 'categorical' ? column.categories.filter(isNothing) : [];
  return named.length === 0 ? isNothing : (text) => isNothing(text) && !named.includes(text);
}

function valueReader(column: Column, { decimal = '.' }: ReaderOptions): Reader {
  switch (column.kind) {
    case 'numeric':
      return (value, into, at) => {
        const number =
          typeof value === 'number' ? value : typeof value === 'string' ? parseNumber(value, decimal) : NaN;
        if (Number.isNaN(number)) return 'not a number';
        if (Math.abs(number) > LARGEST) return 'too large';
        into[at] = number;
        return undefined;
      };
    case 'categorical':
      return categoryReader(column);
    case 'date': {
      const { parts, order, years } = column;
      const needsDay = parts.some((part) => part !== 'hour');
      return (value, into, at) => {
        const date = typeof value === 'string' ? parseDate(value, order) : undefined;
        if (!date || (needsDay && !date.hasDay)) return 'not a date';
        writeDate(date, parts, years, into, at);
        return undefined;
      };
    }
  }
}

function categoryReader({ categories }: CategoricalColumn): Reader {
  const indices = new Map(categories.map((category, index) => [category, index]));
  // A number may be written differently, such as 1 and 1.0, and so may a truth value, such as true and yes.
  const numbers = new Map(categories.map((category, index) => [parseNumber(category), index]));
  numbers.delete(NaN);
  const truths = new Map(categories.map((category, index) => [truthOf(category), index]));
  const isTruth = categories.length <= 2 && !truths.has(undefined);
  return (value, into, at) => {
    const text =
      typeof value === 'string'
        ? value
        : typeof value === 'number' || typeof value === 'boolean'
          ? String(value)
          : undefined;
    if (text === undefined) return 'unknown';
    const index =
      indices.get(text) ?? numbers.get(parseNumber(text)) ?? (isTruth ? truths.get(truthOf(text)) : undefined);
    if (index === undefined) return 'unknown';
    into[at] = index;
    return undefined;
  };
}

const TRUE = new Set(['true', 'yes', 't', 'y']);
const FALSE = new Set(['false', 'no', 'f', 'n']);

function truthOf(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
}

/** A value that does not belong to its column. */
export interface Complaint {
  readonly column: Column;
  readonly objection: Objection;
  readonly value: unknown;
}

export interface RowPreparer {
  /** The number of numbers that a row becomes. */
  readonly width: number;
  /**
   * Writes a row's numbers, or returns the first complaint.
   *
   * @param values of the columns, in their order; surrounding spaces are ignored, as in files
   * @param excuse decides whether a value that does not belong to its column counts as missing, where the column allows
   * missing values
   */
  readonly prepare: (
    values: readonly unknown[],
    into: Float32Array,
    at: number,
    excuse?: (complaint: Complaint) => boolean,
  ) => Complaint | undefined;
}

/** Prepares rows for a model of these columns. */
export function rowPreparer(columns: readonly Column[], options?: Pick<ReaderOptions, 'decimal'>): RowPreparer {
  let width = 0;
  const readers = columns.map((column) => {
    const reader = { column, read: withoutSpaces(column, readerOf(column, options)), at: width };
    width += widthOf(column);
    return reader;
  });
  return {
    width,
    prepare: (values, into, start, excuse) => {
      for (const [i, { column, read, at }] of readers.entries()) {
        const objection = read(values[i], into, start + at);
        if (objection === undefined) continue;
        const complaint: Complaint = { column, objection, value: values[i] };
        const isExcused = column.fill !== null && excuse?.(complaint) === true;
        if (!isExcused || read(null, into, start + at) !== undefined) return complaint;
      }
      return undefined;
    },
  };
}

/** Ignores surrounding spaces, unless a category itself has some, as may happen in models of other programs. */
function withoutSpaces({ kind }: Column, read: Reader): Reader {
  return (value, into, at) => {
    if (typeof value !== 'string') return read(value, into, at);
    if (kind !== 'categorical') return read(value.trim(), into, at);
    const objection = read(value, into, at);
    return objection === 'unknown' ? read(value.trim(), into, at) : objection;
  };
}

const MAX_NAMED = 10;

/** An example date in each order. */
const examples = { YMD: '2024-05-17', DMY: '17/05/2024', MDY: '05/17/2024' } as const;

/** Describes what a column accepts, for a message. */
export function expectationOf(column: Column, objection: Objection): string {
  if (objection === 'missing') return 'a value';
  if (column.kind === 'numeric') return objection === 'too large' ? 'a number that float32 holds' : 'a number';
  if (column.kind === 'date')
    return column.parts.every((part) => part === 'hour')
      ? 'a time such as 17:30'
      : `a date such as ${examples[column.order]}`;
  const { categories } = column;
  if (categories.length > MAX_NAMED) return `one of ${categories.length} categories`;
  return `one of ${categories.map((category) => JSON.stringify(category)).join(', ')}`;
}
