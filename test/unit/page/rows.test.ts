/** The page's form suits a model's columns. */
import { describe, expect, it } from 'vitest';
import type { Column } from '../../../worker/page/api/model.ts';
import { cellsAlong, randomRow, sequence, shareOf, typicalRow } from '../../../worker/page/inputs/rows/row.ts';

const plan: Column = { kind: 'categorical', name: 'plan', required: true, categories: ['Free', 'Pro'], typical: 'Pro' };
const seats: Column = { kind: 'numeric', name: 'seats', required: true, range: [1, 220], typical: 47.31 };
const spend: Column = { kind: 'numeric', name: 'spend', required: false, range: [0, 12.5], typical: 3.14159, fill: 3 };
const old: Column = { kind: 'numeric', name: 'old', required: false, fill: 40 };
const date = { kind: 'date', required: true, parts: ['year'], years: [2020, 2024] } as const;
const since: Column = { ...date, name: 'since', range: ['2020-01-01', '2024-12-31'], typical: '2022-07-02' };
const at: Column = { ...date, name: 'at', parts: ['hour'] };
const columns = [plan, seats, spend, old, since, at];

describe('a row of the form', () => {
  it('is at first what training saw most, in numbers as the column has them', () => {
    expect(typicalRow([plan, seats, spend, old, since])).toEqual({
      ...{ plan: 'Pro', seats: 47, spend: 3.14, old: 40, since: '2022-07-02' },
    });
  });

  it('made up, lies within what training saw', () => {
    const random = sequence(1);
    for (let i = 0; i < 100; i++) {
      const row = randomRow(columns, random);
      for (const column of columns) {
        const share = shareOf(column, row[column.name]);
        expect(share, `${column.name} ${String(row[column.name])}`).toBeGreaterThanOrEqual(-1e-9);
        expect(share, `${column.name} ${String(row[column.name])}`).toBeLessThanOrEqual(1 + 1e-9);
      }
      expect(Number.isInteger(row['seats'])).toBe(true);
    }
  });

  it('goes along a column from one end of training to the other', () => {
    expect(cellsAlong(plan)).toEqual(['Free', 'Pro']);
    expect([cellsAlong(seats)[0], cellsAlong(seats).at(-1)]).toEqual([1, 220]);
    expect([cellsAlong(old)[0], cellsAlong(old).at(-1)]).toEqual([0, 80]);
    expect([cellsAlong(since)[0], cellsAlong(since).at(-1)]).toEqual(['2020-01-01', '2024-12-31']);
    expect([cellsAlong(at)[0], cellsAlong(at).at(-1)]).toEqual(['00:00', '23:59']);
  });

  it('knows no place for a missing cell', () => {
    expect(shareOf(seats, null)).toBeNaN();
  });
});
