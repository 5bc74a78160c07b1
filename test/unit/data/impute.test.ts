import { describe, expect, it } from 'vitest';
import { type Column, type Dataset, fitFills } from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/errors.ts';

const columns: Column[] = [
  { kind: 'numeric', name: 'age', fill: null },
  { kind: 'categorical', name: 'town', categories: ['Bern', 'Ulm'], fill: null },
  { kind: 'numeric', name: 'empty', fill: null },
  { kind: 'date', name: 'day', parts: ['year', 'weekday'], order: 'YMD', years: [2020, 2024], fill: null },
  { kind: 'numeric', name: 'full', fill: null },
];

// age: 1, 1, 4, 10 and a gap; town: Ulm, Ulm, Bern and two gaps; empty: gaps only; day: 2020, 2023, 2024 and two gaps.
const rows = [
  [1, 1, NaN, 2020, 0, 1, 5],
  [NaN, 1, NaN, NaN, NaN, NaN, 5],
  [1, NaN, NaN, 2023, 0, 1, 6],
  [10, 0, NaN, 2024, 0, 1, 7],
  [4, NaN, NaN, NaN, NaN, NaN, 9],
];
const inputs = Float32Array.from(rows.flat());
const dataset: Dataset = { task: 'regression', inputs, inputShape: [7], count: 5, values: new Float32Array(5) };
const withGaps = new Set(['age', 'town', 'empty', 'day']);

function fitted(name: string, own: Readonly<Record<string, string>>, others?: string) {
  const imputations = { own: new Map(Object.entries({ empty: '0', ...own })), others };
  return fitFills(columns, imputations, withGaps, dataset).find((column) => column.name === name);
}

describe('a gap', () => {
  it.each([
    ['age', { fill: 2.5, missing: 'median', indicator: true }],
    ['town', { fill: 2, missing: 'category' }],
    ['day', { fill: 2023, missing: 'median', indicator: true }],
    ['full', { fill: null }],
  ])('of %s is filled by default as %j', (name, expected) => {
    const column = columns.find((each) => each.name === name);
    expect(fitted(name, {})).toEqual({ ...column, ...expected });
  });

  it.each([
    ['age', 'mean', 4, 'mean'],
    ['age', 'median', 2.5, 'median'],
    ['age', 'most-frequent', 1, 'most-frequent'],
    ['age', 'mode', 1, 'most-frequent'],
    ['age', '-1.5', -1.5, 'value'],
    ['age', '$2,000', 2000, 'value'],
    ['town', 'most-frequent', 1, 'most-frequent'],
    ['town', 'category', 2, 'category'],
    ['town', 'Bern', 0, 'value'],
    ['empty', '0', 0, 'value'],
    ['full', 'mean', expect.closeTo(6.4, 5) as number, 'mean'],
  ])('of %s by %s', (name, imputation, fill, missing) => {
    expect(fitted(name, { [name]: imputation })).toMatchObject({ fill, missing });
  });

  it('is told to the model where training has met it', () => {
    expect(fitted('age', { age: 'mean' })).toHaveProperty('indicator', true);
    expect(fitted('full', { full: 'mean' })).not.toHaveProperty('indicator');
  });

  it('of no training row is filled with what is most frequent, not with a category that nothing was learnt of', () => {
    const full = { ...dataset, inputs: Float32Array.of(1, 1, 0), inputShape: [1], count: 3 };
    const [town] = fitFills(columns.slice(1, 2), { own: new Map() }, new Set(['town']), full);
    expect(town).toMatchObject({ fill: 1, missing: 'most-frequent' });
  });

  it('may come in any column of numbers when one value is said for all', () => {
    expect(fitted('full', {}, 'median')).toMatchObject({ fill: 6, missing: 'median' });
    expect(fitted('age', { age: 'mean' }, 'median')).toMatchObject({ fill: 4 });
    expect(fitted('town', {}, 'median')).toMatchObject({ fill: 2 });
  });

  it('is left to be refused where that is said', () => {
    expect(fitted('age', { age: 'refuse' })).toEqual(columns[0]);
    expect(fitted('age', {}, 'refuse')).toEqual(columns[0]);
  });

  it('takes the middle one of an odd number of values for the median', () => {
    const odd = { ...dataset, inputs: Float32Array.of(9, 2, 5), inputShape: [1], count: 3 };
    const found = fitFills(columns.slice(0, 1), { own: new Map([['age', 'median']]) }, new Set(), odd);
    expect(found).toMatchObject([{ fill: 5 }]);
  });

  it('of a column of dates without any in the training part is refused', () => {
    const none = { ...dataset, inputs: inputs.map((value, i) => (i % 7 >= 3 && i % 7 < 6 ? NaN : value)) };
    expect(() => fitFills(columns, { own: new Map([['empty', '0']]), others: undefined }, withGaps, none)).toThrow(
      new UserError(
        'column "day": expected a value to learn from, got none in the training part; --ignore day leaves it out',
      ),
    );
  });

  it('takes the smallest of the values that are equally frequent', () => {
    const even = { ...dataset, inputs: Float32Array.of(7, 2, 7, 2, 9), inputShape: [1], count: 5 };
    const found = fitFills(columns.slice(0, 1), { own: new Map([['age', 'mode']]) }, new Set(), even);
    expect(found).toMatchObject([{ fill: 2 }]);
  });

  it.each([
    ['town', 'mean', '--missing town=mean: expected category, most-frequent or one of the categories, got mean'],
    ['town', 'Paris', '--missing town=Paris: expected one of "Bern", "Ulm", got Paris'],
    ['age', 'NA', '--missing age=NA: expected a value, got NA'],
    ['age', 'average', '--missing age=average: expected a number, got average'],
    ['age', 'category', '--missing age=category: expected mean, median, most-frequent or a number, got category'],
    ['day', '2024-01-01', '--missing day=2024-01-01: expected median, got 2024-01-01'],
    [
      'empty',
      'mean',
      '--missing empty=mean: expected a value to learn from, got none in the training part; --ignore empty leaves it out',
    ],
  ])('of %s by %s is refused', (name, imputation, message) => {
    expect(() => fitted(name, { [name]: imputation })).toThrow(new UserError(message));
  });
});
