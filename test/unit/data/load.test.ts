import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  countLabels,
  type Dataset,
  loadData,
  type LoadOptions,
  loadSource,
  sourceName,
  encodeNpz,
  readableFiles,
} from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/errors.ts';
import { splitByShares } from '../../../training/data/split-table.ts';
import { plainPreparation } from '../../../training/pictures/index.ts';
import { idx } from './idx-file.ts';
import { npy } from './npy-file.ts';

const COUNT = 40;
const numbers = Array.from({ length: COUNT }, (_, i) => i);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'load-'));
  const save = async (name: string, content: Uint8Array | string) => {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), content);
  };
  const rows = numbers.map((i) => `${i % 4 === 0 ? '' : i + 0.5},${i % 2 === 0 ? 'even' : 'odd'}`);
  await save('table.csv', `x,parity\n${rows.join('\n')}\n`);
  await save('table.tsv', `x\tparity\n${rows.join('\n').replaceAll(',', '\t')}\n`);
  const x = npy("'<f4'", `(${COUNT}, 1)`, Float32Array.from(numbers));
  const y = npy(
    "'<i8'",
    `(${COUNT},)`,
    BigInt64Array.from(numbers, (i) => BigInt(i % 2)),
  );
  await save('x.npy', x);
  await save('y.npy', y);
  await save('arrays.npz', zipSync({ 'x.npy': x, 'y.npy': y, 'inputs.npy': x, 'labels.npy': y }));
  for (const [part, count] of [
    ['train', 24],
    ['t10k', 6],
  ] as const) {
    await save(`mnist/${part}-images-idx3-ubyte`, idx([count, 1, 1], numbers.slice(0, count)));
    await save(
      `mnist/${part}-labels-idx1-ubyte`,
      idx(
        [count],
        numbers.slice(0, count).map((i) => i % 2),
      ),
    );
  }
  const pixel = await sharp(Uint8Array.of(1), { raw: { width: 1, height: 1, channels: 1 } })
    .png()
    .toBuffer();
  for (const i of numbers) await save(`images/${i % 2 === 0 ? 'even' : 'odd'}/${i}.png`, pixel);
  await save('notes.doc', 'hello');
});
afterAll(() => rm(folder, { recursive: true }));

describe('loading data', () => {
  const impute = { x: 'mean' };
  it.each<[string, Omit<LoadOptions, 'seed'>, string[]]>([
    ['table.csv', { label: 'parity', impute }, ['even', 'odd']],
    ['table.tsv', { label: 'parity', impute }, ['even', 'odd']],
    ['arrays.npz', {}, ['0', '1']],
    ['arrays.npz', { inputs: 'inputs', label: 'labels' }, ['0', '1']],
    ['images', {}, ['even', 'odd']],
  ])('from %s with %o gives three parts of its samples, by class', async (name, options, classes) => {
    const data = await loadData(join(folder, name), { seed: 1, ...options });
    expect([data.train.count, data.validation.count, data.test.count]).toEqual([32, 4, 4]);
    for (const part of [data.train, data.validation, data.test]) {
      expect(part).toMatchObject({ task: 'classification', classes });
      if (part.task === 'classification')
        expect([...countLabels(part.labels, 2)]).toEqual([part.count / 2, part.count / 2]);
    }
  });

  it('from a pair of .npy files', async () => {
    const data = await loadData(join(folder, 'x.npy'), { seed: 1, label: join(folder, 'y.npy'), task: 'regression' });
    expect(data.test).toMatchObject({ task: 'regression', count: 4, values: data.test.inputs.map((x) => x % 2) });
  });

  it('from a folder of IDX files keeps their test set and names the classes as it is told', async () => {
    const { train, validation, test } = await loadData(join(folder, 'mnist'), { seed: 1, classes: ['even', 'odd'] });
    expect([train.count, validation.count, test.count]).toEqual([22, 2, 6]);
    expect(test).toMatchObject({ classes: ['even', 'odd'], inputs: Uint8Array.of(0, 1, 2, 3, 4, 5) });
  });

  it('splits by the seed and the shares it is given', async () => {
    const load = (seed: number) =>
      loadData(join(folder, 'arrays.npz'), { seed, validationShare: 0.25, testShare: 0.05 });
    const [one, again, other] = [await load(1), await load(1), await load(2)];
    expect([one.train.count, one.validation.count, one.test.count]).toEqual([28, 10, 2]);
    expect(again).toEqual(one);
    expect(other.validation.inputs).not.toEqual(one.validation.inputs);
  });

  it('leaves gaps to the model, and learns what fills them from the training part', async () => {
    const { train, validation, test, columns } = await loadData(join(folder, 'table.csv'), {
      seed: 1,
      label: 'parity',
      impute,
    });
    const present = [...train.inputs].filter((x) => !Number.isNaN(x));
    const mean = present.reduce((sum, x) => sum + x, 0) / present.length;
    expect(columns).toMatchObject([
      { name: 'x', fill: expect.closeTo(mean, 4) as number, missing: 'mean', indicator: true },
    ]);
    const gaps = [train, validation, test].flatMap(({ inputs }) => [...inputs]).filter((x) => Number.isNaN(x));
    expect(gaps).toHaveLength(10);
  });

  it.each<[string, Omit<LoadOptions, 'seed'>, string]>([
    ['missing.csv', {}, ': cannot read: no such file or directory'],
    ['notes.doc', {}, `: expected ${readableFiles}, or a folder of images, got another kind of file`],
    ['table.csv', {}, ': expected the name of the label to predict, got none; --label names it'],
    [
      'table.csv',
      { label: 'parity', imputeOthers: 'refuse' },
      ': line 2, column "x": expected a value, got none (10 of 40 rows have none); leave out --missing refuse, or say --missing x=HOW or --ignore x',
    ],
    ['x.npy', {}, ': expected the name of the label to predict, got none; --label names it'],
    ['arrays.npz', { label: 'z' }, ': expected an array "z", got "x", "y", "inputs", "labels"'],
  ])('from %s with %o is refused', async (name, options, message) => {
    const path = join(folder, name);
    await expect(loadData(path, { seed: 1, ...options })).rejects.toThrow(new UserError(path + message));
  });

  it('says how pictures are prepared: drawings of MNIST alone, unless told', async () => {
    const drawing = async (path: string | undefined, options: Partial<LoadOptions> = {}) =>
      (await loadSource({ path, ...options }, 1, { picture: options.picture })).picture?.drawing;
    expect(await drawing(undefined)).toBe(true);
    expect(await drawing(undefined, { pictures: 'plain' })).toBeUndefined();
    expect(await drawing(join(folder, 'mnist'))).toBeUndefined();
    expect(await drawing(join(folder, 'mnist'), { pictures: 'drawing' })).toBe(true);
    expect(await drawing(join(folder, 'images'))).toBeUndefined();
    expect(await drawing(join(folder, 'table.csv'), { label: 'parity', impute })).toBeUndefined();
  });

  it('prepares pictures as a model has them, whatever else is said', async () => {
    const picture = { ...plainPreparation({ rows: 3, columns: 2 }, 3), fit: 'contain', background: '#000000' } as const;
    const data = await loadData(join(folder, 'images'), {
      seed: 1,
      size: { rows: 9, columns: 9 },
      fit: 'cover',
      picture,
    });
    expect(data.train.inputShape).toEqual([3, 3, 2]);
    expect(data.picture).toEqual(picture);
    expect([...data.train.inputs.subarray(0, 6)]).toEqual([1, 1, 1, 1, 0, 0]);
  });

  it('has the numbers of pictures in the layout of a model', async () => {
    const picture = { ...plainPreparation({ rows: 1, columns: 2 }, 3), layout: 'NHWC', values: [-1, 1] } as const;
    const { train } = await loadData(join(folder, 'images'), { seed: 1, picture });
    const bytes = await loadData(join(folder, 'images'), {
      seed: 1,
      picture: plainPreparation({ rows: 1, columns: 2 }, 3),
    });
    expect(train.inputShape).toEqual([1, 2, 3]);
    const [red = 0, another = 0] = bytes.train.inputs;
    expect([...train.inputs.subarray(0, 2), train.inputs[3]]).toEqual(
      [red, red, another].map((byte) => Math.fround(-1 + (byte * 2) / 255)),
    );
    const idx = { ...plainPreparation({ rows: 28, columns: 28 }, 1), values: [0, 1] } as const;
    const { test } = await loadData(join(folder, 'mnist'), { seed: 1, picture: idx });
    expect(Math.max(...test.inputs)).toBeLessThanOrEqual(1);
    expect(Math.max(...test.inputs)).toBeGreaterThan(0);
  });

  it('keeps a sample for each part, however few there are, and refuses fewer', async () => {
    const path = join(folder, 'few.csv');
    const load = async (rows: number, shares: Partial<LoadOptions> = {}) => {
      const lines = numbers.slice(0, rows).map((i) => `${i},${i % 2 === 0 ? 'even' : 'odd'}\n`);
      await writeFile(path, `x,parity\n${lines.join('')}`);
      const { train, validation, test } = await loadData(path, { seed: 1, label: 'parity', ...shares });
      return [train.count, validation.count, test.count];
    };
    expect(await load(4)).toEqual([2, 1, 1]);
    expect(await load(3, { testShare: 0 })).toEqual([2, 1, 0]);
    expect(await load(2, { testShare: 0, validationShare: 0 })).toEqual([2, 0, 0]);
    await expect(load(3)).rejects.toThrow(
      'data: expected at least 4 samples, 2 to train on, one for validation, one for the test, got 3; --validation-share 0 or --test-share 0 do without a part',
    );
  });

  it('that leaves nothing to train on is refused', async () => {
    const shares = { validationShare: 0.5, testShare: 0.5 };
    await expect(loadData(join(folder, 'images'), { seed: 1, ...shares })).rejects.toThrow(
      new UserError(
        'split: expected fewer than 40 samples for validation and test, got 40 (--validation-share and --test-share)',
      ),
    );
  });
});

describe('a split by shares', () => {
  const dataset = (count: number): Dataset => ({
    task: 'regression',
    inputs: new Float32Array(count),
    inputShape: [1],
    count,
    values: new Float32Array(count),
  });
  it.each<[number, Partial<LoadOptions>, readonly number[]]>([
    [100, {}, [80, 10, 10]],
    [14, {}, [12, 1, 1]],
    [15, {}, [11, 2, 2]],
    [100, { validationShare: 0.25, testShare: 0 }, [75, 25, 0]],
    [100, { validationShare: 0, testShare: 0.25 }, [75, 0, 25]],
    [3, { validationShare: 0 }, [2, 0, 1]],
    [1, { validationShare: 0, testShare: 0 }, [1, 0, 0]],
  ])('of %i samples by %j has %j of them', (count, shares, sizes) => {
    const { train, validation, test } = splitByShares(dataset(count), { seed: 1, ...shares });
    expect([train.count, validation.count, test.count]).toEqual(sizes);
  });

  it.each<[number, Partial<LoadOptions>, string]>([
    [2, { testShare: 0 }, 'at least 3 samples, 2 to train on, one for validation, got 2;'],
    [2, { validationShare: 0 }, 'at least 3 samples, 2 to train on, one for the test, got 2;'],
    [0, {}, 'at least 4 samples, 2 to train on, one for validation, one for the test, got 0;'],
    [3, { validationShare: 0, testShare: 0.5 }, 'at least 2 samples to train on, got 1 of 3;'],
    [3, { validationShare: 0.5, testShare: 0 }, 'at least 2 samples to train on, got 1 of 3;'],
    [4, { testShare: 0.5 }, 'at least 2 samples to train on, got 1 of 4;'],
    [10, { validationShare: 0.5, testShare: 0.4 }, 'at least 2 samples to train on, got 1 of 10;'],
  ])('of %i samples by %j is refused', (count, shares, message) => {
    expect(() => splitByShares(dataset(count), { seed: 1, ...shares })).toThrow(`data: expected ${message}`);
  });
});

describe('the summary', () => {
  it.each<[string, string, Partial<LoadOptions>, string]>([
    ['numbers', '1,1,,1,1,1', {}, 'missing: median 1, and the model is told'],
    ['numbers by a value', '1,1,,1,1,1', { impute: { x: '7' } }, 'missing: 7, and the model is told'],
    ['categories', 'a,a,,a,a,a', {}, 'missing: a category of its own'],
    ['categories by the most frequent', 'a,a,,a,b,a', { impute: { x: 'most-frequent' } }, 'missing: a'],
    [
      'dates',
      '2024-01-01,2024-01-02,,2024-01-03,2024-01-04,2024-01-05',
      {},
      'season, day of month, weekday; missing: the model is told',
    ],
    ['amounts', '$1,$1,,$1,$1,$1', {}, 'formatted numbers read as numbers; missing: median 1, and the model is told'],
    ['none', '1,1,1,1,1,1', {}, ''],
    ['none, though a value is said for them', '1,1,1,1,1,1', { impute: { x: 'mean' } }, ''],
    [
      'those that are left to the model',
      '1,1,,1,1,1',
      { imputeOthers: 'mean' },
      'missing: mean 1, and the model is told',
    ],
  ])('says how gaps are filled in %s', async (_, cells, options, done) => {
    const path = join(folder, 'gaps.csv');
    const lines = cells.split(',').map((cell, i) => `${cell},${i % 2 === 0 ? 'even' : 'odd'}\n`);
    await writeFile(path, `x,parity\n${lines.join('')}`);
    const { summary } = await loadData(path, {
      seed: 1,
      label: 'parity',
      validationShare: 0,
      testShare: 0,
      ...options,
    });
    expect(summary?.[0]?.done).toBe(done);
  });
});

it.each([
  [undefined, 'MNIST'],
  ['data/birds.csv', 'birds'],
  ['data/birds/', 'birds'],
  ['birds.tar.gz', 'birds.tar'],
])('the source at %s is named %s', (path, name) => {
  expect(sourceName({ path })).toBe(name);
});

it('parts of a file stay as they are, and only the others are split off', async () => {
  const part = (from: number, count: number) => ({
    x: { shape: [count, 1], data: Float32Array.from({ length: count }, (_, i) => from + i) },
    y: { shape: [count], data: Int32Array.from({ length: count }, (_, i) => i % 2) },
  });
  const [train, validation, test] = [part(0, 20), part(100, 4), part(200, 6)];
  const path = join(folder, 'parts.npz');
  const load = async (arrays: Parameters<typeof encodeNpz>[0]) => {
    await writeFile(path, encodeNpz(arrays));
    const all = await loadData(path, { seed: 1 });
    return [all.train, all.validation, all.test].map(({ inputs }) => [
      inputs.length,
      Math.floor((inputs[0] ?? NaN) / 100),
    ]);
  };
  const trained = { x_train: train.x, y_train: train.y };
  const validated = { x_val: validation.x, y_val: validation.y };
  const tested = { x_test: test.x, y_test: test.y };
  expect(await load({ ...trained, ...validated, ...tested })).toEqual([
    [20, 0],
    [4, 1],
    [6, 2],
  ]);
  expect(await load({ ...trained, ...validated })).toEqual([
    [18, 0],
    [4, 1],
    [2, 0],
  ]);
  expect(await load({ ...trained, ...tested })).toEqual([
    [18, 0],
    [2, 0],
    [6, 2],
  ]);
});
