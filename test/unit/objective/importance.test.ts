/** The importance of columns agrees with what is known about networks made by hand. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Column } from '../../../training/columns/index.ts';
import { createRandom, type Dataset } from '../../../training/data/index.ts';
import { importanceOf, mse, multiclass } from '../../../training/objective/index.ts';

// Drawn anew for each test, so that its numbers do not depend on the tests before it.
let random = createRandom(3);
beforeEach(() => {
  random = createRandom(3);
});
const COUNT = 2000;

const number = (name: string): Column => ({ kind: 'numeric', name, fill: null });
/** A column with three numbers. */
const date: Column = {
  kind: 'date',
  name: 'day',
  parts: ['year', 'weekday'],
  order: 'YMD',
  years: [2020, 2024],
  fill: null,
};

function rowsOf(width: number, value: (row: Float32Array) => number): Dataset {
  const inputs = Float32Array.from({ length: COUNT * width }, () => random.normal());
  const values = Float32Array.from({ length: COUNT }, (_, i) => value(inputs.subarray(i * width, (i + 1) * width)));
  return { task: 'regression', inputs, inputShape: [width], count: COUNT, values };
}

const by = (width: number, answer: (row: Float32Array) => number) => (samples: Dataset) =>
  Promise.resolve(
    Float32Array.from({ length: samples.count }, (_, i) =>
      answer(Float32Array.from(samples.inputs.subarray(i * width, (i + 1) * width))),
    ),
  );

const big = { budget: 1e9 };

describe('permutation importance', () => {
  it('is √2 times the weight of each column for a linear network without error, and nothing for what it does not read', async () => {
    const linear = ([a = 0, b = 0]: Float32Array) => 3 * a - b;
    const samples = rowsOf(3, linear);
    const found = await importanceOf(by(3, linear), samples, ['a', 'b', 'c'].map(number), mse(), big);
    expect(found).toMatchObject({ measure: 'RMSE', rows: COUNT, repeats: 5 });
    const worth = Object.fromEntries(found?.columns.map(({ name, mean }) => [name, mean]) ?? []);
    // Var(w (x − x′)) = 2 w²; on 2,000 rows within some per cent.
    expect(worth['a']).toBeGreaterThan(3 * Math.SQRT2 * 0.93);
    expect(worth['a']).toBeLessThan(3 * Math.SQRT2 * 1.07);
    expect(worth['b']).toBeGreaterThan(Math.SQRT2 * 0.93);
    expect(worth['c']).toBe(0);
    expect(found?.columns.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('deals all numbers of a column together', async () => {
    // The network only reads whether the numbers of a date belong together.
    const together = (row: Float32Array) => (row[1] === 2 * (row[0] ?? 0) && row[2] === 3 * (row[0] ?? 0) ? 1 : 0);
    const samples = rowsOf(4, () => 1);
    const inputs = samples.inputs.map((value, i) => {
      const first = samples.inputs[i - (i % 4)] ?? 0;
      return i % 4 === 3 ? value : Math.fround(((i % 4) + 1) * Math.fround(Math.round(first * 8)));
    });
    const found = await importanceOf(by(4, together), { ...samples, inputs }, [date, number('x')], mse(), big);
    expect(found?.columns.map(({ mean }) => mean)).toEqual([0, 0]);
  });

  it('is by the log loss of classes, the same each time, and of fewer rows where there are many columns', async () => {
    const samples = rowsOf(2, () => 0);
    const labels = Int32Array.from({ length: COUNT }, (_, i) => Number((samples.inputs[2 * i] ?? 0) > 0));
    const classes: Dataset = { ...samples, task: 'classification', labels, classes: ['no', 'yes'] };
    const network = by(2, ([a = 0]) => 4 * a);
    const ask = (budget: number) =>
      importanceOf(network, classes, [number('a'), number('b')], multiclass(), { budget });
    const [first, second] = [await ask(10_000), await ask(10_000)];
    expect(first).toMatchObject({ measure: 'log loss', rows: 1000 });
    expect(first?.columns[0]?.name).toBe('a');
    expect(first?.columns[0]?.mean).toBeGreaterThan(0.5);
    expect(first).toEqual(second);
    expect(await ask(400)).toBeUndefined();
  });
});
