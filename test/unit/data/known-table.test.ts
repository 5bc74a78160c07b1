/** A table is read for an existing model, so that nothing about the meaning of its texts is learnt anew. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Column, type Dataset, openKnownTable, readKnownTable } from '../../../training/data/index.ts';

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

type Options = Partial<Parameters<typeof readKnownTable>[1]>;
type Model = Parameters<typeof readKnownTable>[2];

async function write(lines: readonly string[]): Promise<string> {
  const path = join(folder, 'more.csv');
  await writeFile(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

const read = async (lines: readonly string[], model: Model = known, options: Options = {}, ...needsLabel: [boolean?]) =>
  readKnownTable(await write(lines), { label: 'churned', ...options }, model, ...needsLabel);

async function blocksOf(lines: readonly string[], blockRows: number) {
  const table = await openKnownTable(await write(lines), { label: 'churned' }, known, { needsLabel: true, blockRows });
  const all: Dataset[] = [];
  for await (const block of table.blocks()) all.push(block);
  return { ...table, all };
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

it.each<[string, Model, object]>([
  ['no class, −1, where classes are predicted', known, { labels: Int32Array.of(-1, -1) }],
  ['NaN where numbers are', { columns, classes: [] }, { values: Float32Array.of(NaN, NaN) }],
])('has for each row without the label column %s', async (_, model, expected) => {
  const lines = ['plan,seats,age', 'Pro,1,2', 'Team,3,4'];
  const { dataset, isLabelled } = await read(lines, model, {}, false);
  expect(isLabelled).toBe(false);
  expect(dataset).toMatchObject({ inputs: Float32Array.of(1, 1, 2, 2, 3, 4), count: 2, ...expected });
  const labelled = await read(['churned,plan,seats,age', `${model.classes[0] ?? 7},Pro,1,2`], model, {}, false);
  expect(labelled.isLabelled).toBe(true);
});

it('leaves out rows without a label where that is said, and counts them', async () => {
  const lines = ['plan,seats,age,churned', 'Pro,1,2,', 'Pro,3,4,yes', 'Pro,5,6,NA'];
  const { dataset, notes, unknown } = await read(lines, known, { dropMissingLabels: true });
  expect(dataset).toMatchObject({ count: 1, inputs: Float32Array.of(1, 3, 4), lines: Int32Array.of(3) });
  expect([notes, unknown]).toEqual([['2 rows have no "churned" and are left out'], []]);
  expect((await read(lines.slice(0, 3).toSpliced(1, 1), known, { dropMissingLabels: true })).notes).toEqual([]);
  const single = await read(lines.slice(0, 3), known, { dropMissingLabels: true });
  expect(single.notes).toEqual([expect.stringMatching(/^1 .*"churned"/)]);
});

it('keeps thousands of rows in their order', async () => {
  const ages = Array.from({ length: 3000 }, (_, i) => i % 977);
  const { dataset } = await read(['plan,seats,age,churned', ...ages.map((age, i) => `Pro,${i},${age},no`)]);
  expect(dataset.inputs).toEqual(Float32Array.from(ages.flatMap((age, i) => [1, i, age])));
  expect(dataset.lines).toEqual(Int32Array.from(ages, (_, i) => i + 2));
});

it('comes in blocks of all rows, with the unknown texts of the whole file', async () => {
  const row = (i: number) => (i % 10 === 3 ? `Gold,${i},1,no` : `Pro,${i},1,${i % 2 === 0 ? 'no' : 'yes'}`);
  const rows = Array.from({ length: 2000 }, (_, i) => row(i));
  const { all, summary, progress } = await blocksOf(['plan,seats,age,churned', ...rows], 200);
  expect(all.length).toBeGreaterThan(2);
  // Each piece of the file that is read at once holds fewer than 400 rows.
  for (const { count } of all.slice(0, -1)) expect([count >= 200, count < 600]).toEqual([true, true]);
  const known = rows.flatMap((_, i) => (i % 10 === 3 ? [] : [i]));
  expect(all.flatMap(({ inputs }) => [...inputs.filter((_, i) => i % 3 === 1)])).toEqual(known);
  expect(all.flatMap(({ lines = [] }) => [...lines])).toEqual(known.map((i) => i + 2));
  expect(summary()).toEqual({ notes: [], unknown: [{ column: 'plan', value: 'Gold', rows: 200 }] });
  expect(progress()).toBe(1);
});

it('tells how much of a compressed file has been read', async () => {
  const path = join(folder, 'more.csv.gz');
  await writeFile(path, gzipSync(`plan,seats,age,churned\n${'Pro,1,1,no\n'.repeat(2000)}`));
  const { blocks, progress } = await openKnownTable(path, { label: 'churned' }, known, { needsLabel: true });
  let rows = 0;
  for await (const { count } of blocks()) rows += count;
  expect([rows, progress()]).toEqual([2000, 1]);
});

it('has unknown texts alone in its last rows, behind a block', async () => {
  const rows = [...Array<string>(1000).fill('Pro,1,1,no'), ...Array<string>(1000).fill('Gold,1,1,no')];
  const { all } = await blocksOf(['plan,seats,age,churned', ...rows], 100);
  expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(1000);
});

it('yields no block once a row could not be read, and ends with all that could not', async () => {
  const rows = Array.from({ length: 2000 }, (_, i) =>
    i === 5 ? 'Pro,,1,no' : i === 1500 ? 'Pro,1,x,no' : 'Pro,1,1,no',
  );
  const path = await write(['plan,seats,age,churned', ...rows]);
  const { blocks } = await openKnownTable(path, { label: 'churned' }, known, { needsLabel: true, blockRows: 100 });
  let yielded = 0;
  const reading = async () => {
    for await (const { count } of blocks()) yielded += count;
  };
  await expect(reading()).rejects.toThrow(/line 7, column "seats": .*\n {2}line 1502, column "age": expected a number/);
  expect(yielded).toBe(0);
});

const remedy = 'the model takes no others; correct or remove such rows';
it.each<[string, readonly string[], Model, string]>([
  ['one row', ['Pro,,1,no'], known, `: line 2, column "seats": expected a value, as in training, got none; ${remedy}`],
  [
    'two rows',
    ['Pro,two,1,no', 'Pro,NA,1,no'],
    known,
    `: line 2, column "seats": expected a number, got "two" (and 1 more); ${remedy}`,
  ],
  [
    'a missing number in words',
    ['Pro,NA,1,no'],
    known,
    `: line 2, column "seats": expected a value, as in training, got none; ${remedy}`,
  ],
  [
    'two columns',
    ['Pro,1,x,no', 'Pro,,1,no', 'Pro,1,y,no'],
    known,
    `:\n  line 2, column "age": expected a number, got "x" (and 1 more); ${remedy}\n  line 3, column "seats": expected a value, as in training, got none; ${remedy}`,
  ],
  [
    'a label in words where numbers are predicted',
    ['Pro,1,1,many'],
    { columns, classes: [] },
    ': line 2, column "churned": expected a number, got "many"; --drop-missing-labels leaves such rows out',
  ],
])('names all that cannot be read: %s', async (_, rows, model, message) => {
  const error: unknown = await read(['plan,seats,age,churned', ...rows], model).catch((thrown: unknown) => thrown);
  expect((error as Error).message).toBe(join(folder, 'more.csv') + message);
});

it.each<[string, readonly string[], string]>([
  [
    'several columns, and the label',
    ['plan', 'Pro'],
    'expected columns "churned", "seats", "age", as in training, got "plan"; --label names the column to compare with',
  ],
  ['no rows at all', ['plan,seats,age,churned'], 'expected rows that the model knows, got none'],
  [
    'a label that comes twice',
    ['churned,plan,seats,age,churned', 'no,Pro,1,1,no'],
    'expected different column names, got "churned" twice',
  ],
])('refuses a table that lacks something: %s', async (_, lines, message) => {
  await expect(read(lines)).rejects.toThrow(`${join(folder, 'more.csv')}: ${message}`);
});
