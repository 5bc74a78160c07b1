/** Columns keep the range of the training part and a typical value. */
import { describe, expect, it } from 'vitest';
import { type Column, rowPreparer, widthOf } from '../../../training/columns/index.ts';
import { unseenCategories, describeColumns } from '../../../training/data/describe-columns.ts';

const number: Column = { kind: 'numeric', name: 'x', fill: 0 };
const category: Column = { kind: 'categorical', name: 'x', categories: ['a', 'b', 'c'], fill: 3 };
const date = (...parts: Extract<Column, { kind: 'date' }>['parts']): Column => ({
  kind: 'date',
  name: 'x',
  parts,
  order: 'DMY',
  years: [1999, 2024],
  fill: 2000,
});
const days = ['season', 'day of month', 'weekday'] as const;

/** Returns what is kept of the second column of rows that hold these values. */
function seen(column: Column, values: readonly unknown[]): object | undefined {
  const columns = [number, column];
  const { width, prepare } = rowPreparer(columns);
  const inputs = new Float32Array(values.length * width);
  for (const [i, value] of values.entries()) expect(prepare([7, value], inputs, i * width)).toBeUndefined();
  const [, found] = describeColumns(columns, { inputs, inputShape: [1 + widthOf(column)], count: values.length });
  return found && Object.fromEntries(Object.entries(found).filter(([key]) => ['range', 'typical'].includes(key)));
}

describe('training saw', () => {
  it.each<[string, Column, readonly unknown[], object]>([
    [
      'numbers',
      number,
      [0.1, null, 18.7, -2.5],
      { range: [-2.5, 18.7], typical: expect.closeTo(16.3 / 3, 6) as number },
    ],
    ['whole numbers, of which none has a fraction', number, [0, null, 3, 7, 4], { range: [0, 7], typical: 4 }],
    ['one number', number, [3, 3], { range: [3, 3], typical: 3 }],
    ['no number', number, [null, ''], {}],
    ['categories', category, ['b', 'c', null, 'c', 'b'], { typical: 'b' }],
    ['no category', category, [null, null], {}],
    [
      'dates',
      date('year', ...days),
      ['31.12.2024', null, '1999-12-31', '29 Feb 2000', '01.01.2001'],
      { range: ['1999-12-31', '2024-12-31'], typical: '2000-02-29' },
    ],
    [
      'dates of one year',
      date(...days),
      ['1999-01-01', '1999-12-31', '1999-12-30'],
      { range: ['1999-01-01', '1999-12-31'], typical: '1999-12-30' },
    ],
    [
      'dates with times',
      date('year', ...days, 'hour'),
      ['2024-02-29T23:59:59Z', '2024-02-29'],
      { range: ['2024-02-29 00:00', '2024-02-29 23:59:59'], typical: '2024-02-29 00:00' },
    ],
    ['times', date('hour'), ['17:30', '9:05', '12:00 am'], { range: ['00:00', '17:30'], typical: '09:05' }],
    ['no date', date('year', ...days), [null], {}],
  ])('%s', (_, column, values, expected) => {
    expect(seen(column, values)).toEqual(expected);
  });

  it('every day of a leap year and of another as it was written', () => {
    for (const year of [1999, 2000, 2024]) {
      for (let at = Date.UTC(year, 0, 1); at < Date.UTC(year + 1, 0, 1); at += 86_400_000) {
        const text = new Date(at).toISOString().slice(0, 10);
        expect(seen(date('year', ...days), [text])).toEqual({ range: [text, text], typical: text });
      }
    }
  });
});

describe('the categories that training has not seen', () => {
  it('are those without a row; a gap counts as what stands in for it', () => {
    const columns = [
      { categories: 3, fill: null },
      { categories: 0, fill: null },
      { categories: 4, fill: 3 },
      { categories: 2, fill: 1 },
    ];
    const inputs = Float32Array.of(0, 7, 1, 0, 2, NaN, NaN, 0, 0, 9, 1, 0);
    expect(unseenCategories({ inputs, inputShape: [4], count: 3 }, columns)).toEqual([[1], [], [0, 2], [1]]);
  });
});
