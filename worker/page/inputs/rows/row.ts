/** Makes rows of a table: a typical one, random ones, and those along one column. */
import type { Column, DateColumn, NumericColumn } from '../../api/model.ts';

/**
 * Holds one value; null is a missing one. A text that should be a number is sent as it is, so that the Worker says what
 * is wrong.
 */
export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;

/** Returns the typical row of training. */
export const typicalRow = (columns: readonly Column[]): Row =>
  Object.fromEntries(columns.map((column) => [column.name, typicalOf(column)]));

/** @param random returns numbers in [0, 1) */
export const randomRow = (columns: readonly Column[], random: () => number): Row =>
  Object.fromEntries(columns.map((column) => [column.name, randomCell(column, random())]));

/** Returns numbers in [0, 1) that are the same each time, by a linear congruential generator of Numerical Recipes. */
export function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function typicalOf(column: Column): Cell {
  switch (column.kind) {
    case 'numeric':
      return rounded(column, column.typical ?? column.fill ?? 0);
    case 'categorical':
      return column.typical ?? column.fill ?? column.categories[0] ?? null;
    case 'date':
      return column.typical ?? `${column.years[1]}-01-01`;
  }
}

function randomCell(column: Column, share: number): Cell {
  switch (column.kind) {
    case 'numeric': {
      const [min, max] = rangeOf(column);
      return rounded(column, min + share * (max - min));
    }
    case 'categorical':
      return column.categories[Math.floor(share * column.categories.length)] ?? null;
    case 'date':
      return dateAt(column, share);
  }
}

/** Returns the range of a column of numbers in training, or one around its fill when the model has none. */
export function rangeOf({ range, fill = 0, typical = fill }: NumericColumn): readonly [number, number] {
  if (range) return range;
  const reach = Math.abs(typical) || 1;
  return [typical - reach, typical + reach];
}

/**
 * Rounds to whole numbers when both ends of training's range are whole, otherwise to about as many digits as the range
 * has steps.
 */
export function rounded(column: NumericColumn, value: number): number {
  const step = stepOf(column);
  return Number((Math.round(value / step) * step).toPrecision(12));
}

/** Returns a step of which a slider has some hundreds. */
export function stepOf(column: NumericColumn): number {
  const [min, max] = rangeOf(column);
  const width = max - min;
  const isWhole = Number.isInteger(min) && Number.isInteger(max) && width > 2;
  if (!(width > 0)) return Math.abs(min) > 1 ? 1e-3 : 1e-6;
  const step = 10 ** Math.floor(Math.log10(width / 200));
  return isWhole ? Math.max(step, 1) : step;
}

const DAY = 86_400_000;

const hasHour = ({ parts }: DateColumn): boolean => parts.includes('hour');
/** Is true for a time, which has no day. */
export const isTime = ({ parts }: DateColumn): boolean => parts.every((part) => part === 'hour');

function spanOf(column: DateColumn): readonly [number, number] {
  if (isTime(column)) return [0, DAY - 60_000];
  const [first, last] = column.range ?? [`${column.years[0]}-01-01`, `${column.years[1]}-12-31`];
  const midnight = (text: string): number => Date.parse(`${text.slice(0, 10)}T00:00Z`);
  return [midnight(first), midnight(last)];
}

function dateAt(column: DateColumn, share: number): string {
  const [from, to] = spanOf(column);
  const text = new Date(from + share * (to - from)).toISOString();
  if (isTime(column)) return text.slice(11, 16);
  return hasHour(column) ? `${text.slice(0, 10)} ${text.slice(11, 16)}` : text.slice(0, 10);
}

/** Returns where a cell stands in what training saw, from 0 to 1, and NaN when it is missing. */
export function shareOf(column: Column, cell: Cell | undefined): number {
  if (cell === null || cell === undefined) return NaN;
  switch (column.kind) {
    case 'numeric': {
      const [min, max] = rangeOf(column);
      return (Number(cell) - min) / (max - min || 1);
    }
    case 'categorical':
      return (column.categories.indexOf(String(cell)) + 0.5) / column.categories.length;
    case 'date': {
      const [from, to] = spanOf(column);
      return (instantOf(column, cell) - from) / (to - from || 1);
    }
  }
}

/** Returns milliseconds since 1970; for a time, since midnight. */
export function instantOf(column: DateColumn, cell: Cell): number {
  const text = String(cell).replace(' ', 'T');
  return Date.parse(isTime(column) ? `1970-01-01T${text}Z` : `${text.length > 10 ? text : `${text}T00:00`}Z`);
}

const STEPS = 40;
const MAX_CATEGORIES = 100;

/** Returns cells from one end of what training saw to the other. */
export function cellsAlong(column: Column): readonly Cell[] {
  if (column.kind === 'categorical') return column.categories.slice(0, MAX_CATEGORIES);
  const shares = Array.from({ length: STEPS + 1 }, (_, i) => i / STEPS);
  return [...new Set(shares.map((share) => randomCell(column, share)))];
}
