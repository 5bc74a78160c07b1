/** A table is read for an existing model, so that nothing about the meaning of its texts is learnt anew. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Column, readKnownTable } from '../../../training/data/index.ts';

const columns: readonly Column[] = [
  { kind: 'categorical', name: 'plan', categories: ['Free', 'Pro', 'Team'], fill: 1 },
  { kind: 'numeric', name: 'seats', fill: null },
  { kind: 'numeric', name: 'age', fill: 40 },
];
const known = { columns, classes: ['no', 'yes'] };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(lines: readonly string[], model: Parameters<typeof readKnownTable>[2] = known) {
  const path = join(folder, 'more.csv');
  await writeFile(path, lines.map((line) => `${line}\n`).join(''));
  return readKnownTable(path, { label: 'churned' }, model);
}

it("takes the model's columns in their order, its categories and its classes, and leaves gaps to it", async () => {
  const { dataset, unknown } = await read([
    'churned,extra,age,seats,plan',
    'yes,a,30,2,Team',
    'yes,b,,1,',
    'yes,c,NA,5,Pro',
  ]);
  expect(dataset).toEqual({
    task: 'classification',
    inputs: Float32Array.of(2, 2, 30, NaN, 1, NaN, 1, 5, NaN),
    inputShape: [3],
    count: 3,
    lines: Int32Array.of(2, 3, 4),
    labels: Int32Array.of(1, 1, 1),
    classes: ['no', 'yes'],
  });
  expect(unknown).toEqual([]);
});

it('leaves out rows with a category or a class that the model has never seen, and counts them', async () => {
  const { dataset, unknown } = await read([
    'plan,seats,age,churned',
    'Gold,1,1,no',
    'Free,1,1,maybe',
    'Gold,1,1,yes',
    'Free,7,1,no',
  ]);
  expect(dataset.inputs).toEqual(Float32Array.of(0, 7, 1));
  expect(unknown).toEqual([
    { column: 'plan', value: 'Gold', rows: 2 },
    { column: 'churned', value: 'maybe', rows: 1 },
  ]);
});

it('reads numbers to predict', async () => {
  const { dataset } = await read(['plan,seats,age,churned', 'Pro,1,1,2.5'], { columns, classes: [] });
  expect(dataset).toMatchObject({ task: 'regression', values: Float32Array.of(2.5) });
});

it.each([
  [
    'a column that is missing',
    ['plan,seats,churned', 'Pro,1,no'],
    'expected a column "age", as in training, got "plan", "seats", "churned"',
  ],
  [
    'a column that comes twice',
    ['plan,seats,age,age,churned', 'Pro,1,1,1,no'],
    'expected different column names, got "age" twice',
  ],
  [
    'a value that may not be missing',
    ['plan,seats,age,churned', 'Pro,,1,no'],
    'line 2, column "seats": expected a value, as in training, got none',
  ],
  [
    'a word among numbers',
    ['plan,seats,age,churned', 'Pro,two,1,no'],
    'line 2, column "seats": expected a number, got "two"',
  ],
  [
    'rows without a label',
    ['plan,seats,age,churned', 'Pro,2,1,'],
    'line 2, column "churned": expected a value to compare with, got none',
  ],
  [
    'no row that is known',
    ['plan,seats,age,churned', 'Gold,2,1,no'],
    'expected rows that the model knows, got only rows with texts that it lacks, such as plan "Gold"',
  ],
])('refuses %s', async (_, lines, message) => {
  await expect(read(lines)).rejects.toThrow(`${join(folder, 'more.csv')}: ${message}`);
});
