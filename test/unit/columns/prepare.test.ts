/** One function converts a row to numbers, whether its values are cells or members of a JSON object. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type * as z from 'zod';
import type { columnSchema } from '../../../training/columns/index.ts';
import { type Column, expectationOf, inputsOf, isMissing, rowPreparer } from '../../../training/columns/index.ts';

const columns: readonly Column[] = [
  { kind: 'categorical', name: 'plan', categories: ['Free', 'Pro'], fill: 2, missing: 'category' },
  { kind: 'numeric', name: 'seats', fill: null },
  { kind: 'numeric', name: 'age', fill: 40, missing: 'median', indicator: true },
  {
    kind: 'date',
    name: 'since',
    parts: ['year', 'hour'],
    order: 'YMD',
    years: [2020, 2023],
    fill: 2021,
    indicator: true,
  },
  { kind: 'categorical', name: 'active', categories: ['no', 'yes'], fill: null },
  { kind: 'categorical', name: 'level', categories: ['1', '2', '10'], fill: null },
];
const { width, prepare } = rowPreparer(columns);

function numbersOf(...values: readonly unknown[]): readonly number[] {
  const into = new Float32Array(width + 1).fill(-1);
  expect(prepare(values, into, 1)).toBeUndefined();
  expect(into[0]).toBe(-1);
  return [...into.subarray(1)];
}

describe('a row', () => {
  it.each<[string, readonly unknown[], readonly number[]]>([
    ['of cells', ['Pro', '3', '41', '2021-05-05 06:00', 'yes', '10'], [1, 3, 41, 2021, 1, 0, 1, 2]],
    ['of JSON values', ['Free', 3.5, 41, '2021-05-05T06:00:00Z', true, 2], [0, 3.5, 41, 2021, 1, 0, 1, 1]],
    [
      'of texts with spaces around',
      [' Pro', '3 ', ' 41 ', ' 2021-05-05 06:00 ', 'yes ', ' 10'],
      [1, 3, 41, 2021, 1, 0, 1, 2],
    ],
    ['of gaps', ['', 1, null, undefined, 'no', '1.0'], [NaN, 1, NaN, NaN, NaN, NaN, 0, 0]],
    ['of formatted numbers', ['#N/A', '$1,200', 'None', '<NA>', 'FALSE', '2'], [NaN, 1200, NaN, NaN, NaN, NaN, 0, 1]],
  ])('%s', (_, values, numbers) => {
    const rounded = numbersOf(...values).map((value) => (Math.abs(value) < 1e-6 ? 0 : value));
    expect(rounded).toEqual(numbers);
  });

  it.each<[number, unknown, string, string]>([
    [0, 'Team', 'unknown', 'one of "Free", "Pro"'],
    [1, 'many', 'not a number', 'a number'],
    [1, 1e39, 'too large', 'a number that float32 holds'],
    [1, NaN, 'not a number', 'a number'],
    [1, true, 'not a number', 'a number'],
    [1, null, 'missing', 'a value'],
    [3, 20210505, 'not a date', 'a date such as 2024-05-17'],
    [3, '05/06/2024', 'not a date', 'a date such as 2024-05-17'],
    [5, 3, 'unknown', 'one of "1", "2", "10"'],
    [5, {}, 'unknown', 'one of "1", "2", "10"'],
  ])('value %d may not be %j: %s', (at, value, objection, expected) => {
    const row = ['Free', 1, 1, '2021-05-05 06:00', 'no', '1'].with(at, value as string);
    const complaint = prepare(row, new Float32Array(width), 0);
    expect(complaint).toEqual({ column: columns[at], objection, value });
    expect(complaint && expectationOf(complaint.column, complaint.objection)).toBe(expected);
  });

  it.each<[string, readonly unknown[], readonly number[] | string]>([
    ['that its column knows as missing', ['Team', 1, 'old', 'then', 'no', '1'], [NaN, 1, NaN, NaN, NaN, NaN, 0, 0]],
    ['but none where nothing was missing', ['Free', 'many', 1, null, 'no', '1'], 'seats'],
  ])('may be excused from a value, %s', (_, values, expected) => {
    const into = new Float32Array(width);
    const excused: unknown[] = [];
    const complaint = prepare(values, into, 0, ({ value }) => excused.push(value) > 0);
    if (typeof expected === 'string') expect(complaint?.column.name).toBe(expected);
    else expect([complaint, [...into], excused]).toEqual([undefined, expected, ['Team', 'old', 'then']]);
  });

  it('takes other texts for missing where training did, but no structure', () => {
    const column: Column = { kind: 'numeric', name: 'age', fill: 1, othersMissing: true };
    const read = (value: unknown) => rowPreparer([column]).prepare([value], new Float32Array(1), 0)?.objection;
    expect([read('old'), read({}), read([1])]).toEqual([undefined, 'not a number', 'not a number']);
  });

  it('becomes the numbers that are listed', () => {
    expect(
      inputsOf(columns).map(({ name, categories, fill, indicator }) => [name, categories, fill, indicator]),
    ).toEqual([
      ['plan', 3, 2, false],
      ['seats', 0, null, false],
      ['age', 0, 40, true],
      ['since (year)', 0, 2021, true],
      ['since (hour, sine)', 0, 0, false],
      ['since (hour, cosine)', 0, 0, false],
      ['active', 2, null, false],
      ['level', 3, null, false],
    ]);
  });
});

it.each(['#N/A', '<NA>', 'None', 'n/a', 'na', '-', '.', 'inf', 'nan', 'null', '?', ''])(
  '%o is a missing value',
  (text) => {
    expect(isMissing(text)).toBe(true);
  },
);

it('a column of a card is one that a model and an image know', () => {
  expectTypeOf<z.output<typeof columnSchema>>().toEqualTypeOf<Column>();
});
