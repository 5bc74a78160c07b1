/** Rows of the validation and test parts that are also training rows are counted, as a whole with their targets. */
import { expect, it } from 'vitest';
import type { Splits } from '../../../training/data/index.ts';
import { noteDuplicates } from '../../../training/data/duplicates.ts';
import { seeded } from '../../reference/random.ts';

type Row = readonly [inputs: readonly number[], target: number];

const classes = (rows: readonly Row[]) => ({
  task: 'classification',
  count: rows.length,
  inputs: Float32Array.from(rows.flatMap(([inputs]) => inputs)),
  labels: Int32Array.from(rows, ([, label]) => label),
});
const numbers = (rows: readonly Row[]) => ({
  task: 'regression',
  count: rows.length,
  inputs: Float32Array.from(rows.flatMap(([inputs]) => inputs)),
  values: Float32Array.from(rows, ([, value]) => value),
});
const noteOf = (of: typeof classes | typeof numbers, ...parts: readonly (readonly Row[])[]): readonly string[] => {
  const [train = [], validation = [], test = []] = parts;
  return noteDuplicates({ train: of(train), validation: of(validation), test: of(test) } as unknown as Splits);
};

const tail = 'also are among the training rows, as a whole: the scores are a little too good';
const a: Row = [[1, 2], 0];
const b: Row = [[3, 4], 1];

it.each<[what: string, parts: readonly (readonly Row[])[], note: string | undefined]>([
  ['none', [[a, b], [[[1, 3], 0]], [[[2, 1], 0]]], undefined],
  ['a row with another target', [[a, b], [[[1, 2], 1]], []], undefined],
  ['a row whose columns are exchanged', [[a, b], [[[2, 1], 0]], []], undefined],
  ['one of validation', [[a, b], [b, [[3, 5], 1]], []], `1 of the 2 validation rows ${tail}`],
  ['two of test', [[a, b], [], [a, [[0, 0], 0], b]], `2 of the 3 test rows ${tail}`],
  ['some of both', [[a, b], [a], [a, b]], `1 of the 1 validation rows and 2 of the 2 test rows ${tail}`],
  ['one that is among them twice', [[a, a], [a], []], `1 of the 1 validation rows ${tail}`],
])('%s', (_, parts, note) => {
  expect(noteOf(classes, ...parts)).toEqual(note === undefined ? [] : [note]);
  expect(noteOf(numbers, ...parts)).toEqual(note === undefined ? [] : [note]);
});

it('are counted one by one among thousands, as by comparing their texts', () => {
  const random = seeded(7);
  const draw = (count: number): Row[] =>
    Array.from({ length: count }, () => [
      [Math.floor(random() * 40), Math.floor(random() * 40)],
      Math.floor(random() * 3),
    ]);
  const [train, validation, test] = [draw(3000), draw(500), draw(700)];
  const known = new Set(train.map((row) => JSON.stringify(row)));
  const [ofValidation, ofTest] = [validation, test].map((part) => part.filter((row) => known.has(JSON.stringify(row))));
  expect(noteOf(classes, train, validation, test)).toEqual([
    `${ofValidation?.length} of the 500 validation rows and ${ofTest?.length} of the 700 test rows ${tail}`,
  ]);
});

it('none among rows that all differ, of which there are a hundred thousand in each part', () => {
  const count = 100_000;
  // Steps of odd size permute the numbers below 2²⁴, so that no two rows are the same.
  const part = (from: number) => {
    const inputs = new Float32Array(2 * count);
    for (let i = 0; i < count; i++) {
      inputs[2 * i] = ((from + i) * 9_699_691) % 2 ** 24;
      inputs[2 * i + 1] = ((from + i) * 5_577_191) % 2 ** 24;
    }
    return { task: 'regression', count, inputs, inputShape: [2], values: new Float32Array(count) } as const;
  };
  expect(noteDuplicates({ train: part(0), validation: part(count), test: part(2 * count) })).toEqual([]);
});
