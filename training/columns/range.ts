/**
 * Finds values of a row that lie far outside the range of the training part. A model answers them too, but it was never
 * trained on such values.
 */
import { at as elementAt } from '../arrays/index.ts';
import type { Column } from './column.ts';
import { instantOf, parseDate } from './dates.ts';
import { widthOf } from './prepare.ts';

export interface FarValue {
  readonly column: Column;
  readonly value: unknown;
  /** The range of the training part. */
  readonly range: readonly [min: number | string, max: number | string];
}

/**
 * Returns the values of a row that are far: below the minimum or above the maximum of the training part by more than
 * the width of the range.
 *
 * @param values of the columns, in their order
 * @param numbers the inputs that the values have become, from `at` on
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

/** Returns no check for a column whose range in training is unknown. */
function checkOf(column: Column, index: number, place: number): Check | undefined {
  if (column.kind === 'categorical' || !column.range) return undefined;
  const { range } = column;
  const far = (values: readonly unknown[]): FarValue => ({ column, value: values[index], range });
  if (column.kind === 'numeric') {
    const isBeyond = beyond(...column.range);
    return (values, numbers, at) => (isBeyond(elementAt(numbers, at + place)) ? far(values) : undefined);
  }
  const { order } = column;
  // The value itself is parsed, since its inputs do not tell: a year outside the range was replaced by the first or
  // last one.
  const instant = (value: unknown): number => {
    const date = typeof value === 'string' ? parseDate(value.trim(), order) : undefined;
    return date ? instantOf(date) : NaN;
  };
  const [first, last] = column.range;
  const isBeyond = beyond(instant(first), instant(last));
  return (values) => (isBeyond(instant(values[index])) ? far(values) : undefined);
}

/** Returns a test for far values. NaN, a missing value, is never far. */
function beyond(min: number, max: number): (value: number) => boolean {
  const width = max - min;
  return (value) => value < min - width || value > max + width;
}
