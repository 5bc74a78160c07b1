/** Values are far from training's when they lie beyond its range by more than the width of that range. */
import { expect, it } from 'vitest';
import { type Column, farFinder, rowPreparer } from '../../../training/columns/index.ts';

const columns: readonly Column[] = [
  {
    kind: 'date',
    name: 'since',
    parts: ['year', 'weekday'],
    order: 'DMY',
    years: [2020, 2021],
    range: ['2020-01-01', '2021-01-01'],
    fill: 2020,
  },
  { kind: 'categorical', name: 'plan', categories: ['Free', 'Pro'], typical: 'Pro', fill: null },
  { kind: 'numeric', name: 'seats', range: [10, 20], fill: 15 },
  { kind: 'numeric', name: 'never said', fill: 15 },
  { kind: 'numeric', name: 'always', range: [3, 3], fill: 3 },
];

/** Returns the names of the columns with far values. */
function farOf(values: readonly unknown[]): readonly string[] {
  const { width, prepare } = rowPreparer(columns);
  const numbers = new Float32Array(2 * width);
  // The values are in the second row, as in a batch.
  expect(prepare(values, numbers, width)).toBeUndefined();
  return farFinder(columns)(values, numbers, width).map(({ column }) => column.name);
}

it.each<[values: readonly unknown[], far: readonly string[]]>([
  [['2020-06-01', 'Pro', 15, 1e9, 3], []],
  [[null, 'Pro', null, null, null], []],
  [['2018-12-30', 'Free', 0, 0, 3], ['since']],
  [['2018-12-31', 'Free', 0, 0, 3], []],
  [
    ['2018-12-30', 'Free', 31, 0, 3],
    ['since', 'seats'],
  ],
  [['02.01.2022', 'Free', '30', 0, 3], []],
  [
    ['03.01.2022', 'Free', '$ -0.5', 0, '3.5'],
    ['since', 'seats', 'always'],
  ],
])('%j: %j', (values, far) => {
  expect(farOf(values)).toEqual(far);
});

it('tells what came and what training saw', () => {
  const far = farFinder(columns)(['1999-01-01', 'Pro', -7, 0, 3], Float32Array.of(2020, 0, 1, 1, -7, 0, 3), 0);
  expect(far).toEqual([
    { column: columns[0], value: '1999-01-01', range: ['2020-01-01', '2021-01-01'] },
    { column: columns[2], value: -7, range: [10, 20] },
  ]);
});
