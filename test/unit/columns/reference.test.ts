/** The distribution of columns is counted in training, and in later rows beside it. */
import { describe, expect, it } from 'vitest';
import { type Column, columnCounter, referencesOf } from '../../../training/columns/index.ts';

const age: Column = { kind: 'numeric', name: 'age', range: [1, 100], fill: 50 };
const plan: Column = { kind: 'categorical', name: 'plan', categories: ['free', 'paid'], fill: 2, missing: 'category' };
const joined: Column = { kind: 'date', name: 'joined', parts: ['year', 'hour'], order: 'YMD', years: [2000, 2020], fill: null }; // oxfmt-ignore

describe('the reference', () => {
  it('of a hundred different numbers has ten bins of a tenth each', () => {
    const [reference] = referencesOf(
      [age],
      Float32Array.from({ length: 100 }, (_, i) => 100 - i),
      100,
    );
    const edges = [11, 21, 31, 41, 51, 61, 71, 81, 91];
    expect(reference).toEqual({ name: 'age', samples: 100, missing: 0, edges, shares: new Array(10).fill(0.1) });
  });

  it.each<[what: string, values: readonly number[], edges: readonly number[], shares: readonly number[], gaps: number]>(
    [
      ['many equal numbers', [0, 0, 0, 0, 0, 0, 0, 0, 5, 9], [5, 9], [0.8, 0.1, 0.1], 0],
      ['one number', [3, 3, 3], [], [1], 0],
      ['gaps', [1, NaN, 2, NaN], [2], [0.25, 0.25], 0.5],
      ['nothing but gaps', [NaN, NaN], [], [0], 1],
    ],
  )('of %s has fewer bins', (_, values, edges, shares, missing) => {
    const [reference] = referencesOf([age], values, values.length);
    expect(reference).toEqual({ name: 'age', samples: values.length, missing, edges, shares });
  });

  it('of categories has a share for each, for unknown ones and for gaps; dates have none', () => {
    // The numbers of a row are a date's year, sine and cosine, then the category.
    const rows = [[2001, 0, 1, 0], [2002, 0, 1, 1], [2003, 0, 1, 1], [2004, 0, 1, NaN]].flat(); // oxfmt-ignore
    expect(referencesOf([joined, plan], rows, 4)).toEqual([
      { name: 'plan', samples: 4, missing: 0.25, shares: [0.25, 0.5, 0] },
    ]);
  });

  it('of no rows is none', () => {
    expect(referencesOf([age], [], 0)).toEqual([]);
  });
});

describe('counting', () => {
  it('puts a value behind all edges that it is not below, and tells what is out of range', () => {
    const edges = { name: 'age', samples: 1, missing: 0, edges: [10, 20], shares: [] };
    const [counter] = columnCounter([age], [edges]);
    const rows = [9.99, 10, 20, 101, -Infinity, NaN, 0];
    expect(counter?.count(rows, rows.length)).toEqual({ missing: 1, outOfRange: 3, counts: [3, 1, 2] });
  });

  it('counts no bins of numbers of which there is no reference', () => {
    expect(columnCounter([age])[0]?.count([5, NaN, 200], 3)).toEqual({ missing: 1, outOfRange: 1, counts: [] });
  });

  it('counts unknown categories last, whether they came as a gap or as an index', () => {
    const [counter] = columnCounter([plan]);
    expect(counter?.count([0, NaN, NaN, 7, 1], 5, (row) => row === 1)).toEqual({
      missing: 1,
      outOfRange: 2,
      counts: [1, 1, 2],
    });
  });
});
