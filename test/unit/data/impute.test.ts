import { describe, expect, it } from 'vitest';
import { fillMissing, fitFills, imputeAll, type Column, type Dataset } from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/errors.ts';

const columns: Column[] = [
  { kind: 'numeric', name: 'age', fill: null },
  { kind: 'categorical', name: 'town', categories: ['Bern', 'Ulm'], fill: null },
  { kind: 'numeric', name: 'empty', fill: null },
];

// age: 1, 1, 4, 10 and a gap; town: Ulm, Ulm, Bern and two gaps; empty: gaps only.
const inputs = Float32Array.of(1, 1, NaN, NaN, 1, NaN, 1, NaN, NaN, 10, 0, NaN, 4, NaN, NaN);
const dataset: Dataset = { task: 'regression', inputs, inputShape: [3], count: 5, values: new Float32Array(5) };

const fillOf = (name: string, imputation: string) =>
  fitFills(columns, new Map([[name, imputation]]), dataset).find((column) => column.name === name)?.fill;

describe('an imputation for all columns', () => {
  it('is for those with numbers and without one of their own; categories take the most frequent', () => {
    const imputations = imputeAll(columns, new Map([['empty', '0']]), 'mean');
    expect([...imputations]).toEqual([
      ['age', 'mean'],
      ['town', 'most-frequent'],
      ['empty', '0'],
    ]);
    expect(fitFills(columns, imputations, dataset).map(({ fill }) => fill)).toEqual([4, 1, 0]);
  });
});

describe('an imputation', () => {
  it.each([
    ['age', 'mean', 4],
    ['age', 'median', 2.5],
    ['age', 'most-frequent', 1],
    ['age', '-1.5', -1.5],
    ['town', 'most-frequent', 1],
    ['town', 'Bern', 0],
    ['empty', '0', 0],
  ])('of %s by %s', (name, imputation, fill) => {
    expect(fillOf(name, imputation)).toBe(fill);
  });

  it('takes the middle one of an odd number of values for the median', () => {
    const odd = { ...dataset, inputs: Float32Array.of(9, 2, 5), inputShape: [1], count: 3 };
    expect(fitFills(columns.slice(0, 1), new Map([['age', 'median']]), odd)).toMatchObject([{ fill: 5 }]);
  });

  it.each([
    ['town', 'mean', 'imputation of column "town": expected most-frequent or a category, got mean'],
    ['town', 'Paris', 'imputation of column "town": expected one of "Bern", "Ulm", got "Paris"'],
    ['age', 'average', 'imputation of column "age": expected a number, got "average"'],
    ['empty', 'mean', 'imputation of column "empty": expected a value to learn from, got none in the training part'],
  ])('of %s by %s is refused', (name, imputation, message) => {
    expect(() => fillOf(name, imputation)).toThrow(new UserError(message));
  });

  it('fills the gaps of its column and leaves all else', () => {
    const imputations = new Map(Object.entries({ age: 'mean', town: 'most-frequent', empty: '7' }));
    const filled = fillMissing(dataset, fitFills(columns, imputations, dataset));
    expect(filled.inputs).toEqual(Float32Array.of(1, 1, 7, 4, 1, 7, 1, 1, 7, 10, 0, 7, 4, 1, 7));
    expect(inputs[2]).toBeNaN();
  });
});
