/** Which values of a row lie far from all that training has seen: a model answers them, too, but nothing has taught it how. */
import type { Column } from './column.ts';
import { instantOf, parseDate } from './dates.ts';
import { widthOf } from './prepare.ts';

export interface FarValue {
  readonly column: Column;
  readonly value: unknown;
  /** Of training. */
  readonly range: readonly [least: number | string, greatest: number | string];
}

/**
 * The values of a row that are far: below the least or above the greatest of training by more than these two are apart.
 * @param values of the columns, in their order
 * @param numbers what the values have become, from `at` on
 */
export type FarFinder = (values: readonly unknown[], numbers: Float32Array, at: number) => readonly FarValue[];

type Check = (values: readonly unknown[], numbers: Float32Array, at: number) => FarValue | undefined;

export function farFinder(columns: readonly Column[]): FarFinder {
  let place = 0;
  const checks = columns.flatMap((column, index) => {
    const check = checkOf(column, index, place);
    place += widthOf(column);
    return check ?? [];
  });
  return (values, numbers, at) => checks.flatMap((check) => check(values, numbers, at) ?? []);
}

/** None for a column of which nobody says what training saw. */
function checkOf(column: Column, index: number, place: number): Check | undefined {
  if (column.kind === 'categorical' || !column.range) return undefined;
  const { range } = column;
  const far = (values: readonly unknown[]): FarValue => ({ column, value: values[index], range });
  if (column.kind === 'numeric') {
    const isBeyond = beyond(...column.range);
    return (values, numbers, at) => (isBeyond(numbers[at + place] ?? NaN) ? far(values) : undefined);
  }
  const { order } = column;
  // The numbers do not tell: a year from outside counts as the first or the last.
  const instant = (value: unknown): number => {
    const date = typeof value === 'string' ? parseDate(value.trim(), order) : undefined;
    return date ? instantOf(date) : NaN;
  };
  const [first, last] = column.range;
  const isBeyond = beyond(instant(first), instant(last));
  return (values) => (isBeyond(instant(values[index])) ? far(values) : undefined);
}

/** What is missing, NaN, is beyond nothing. */
function beyond(least: number, greatest: number): (value: number) => boolean {
  const width = greatest - least;
  return (value) => value < least - width || value > greatest + width;
}
