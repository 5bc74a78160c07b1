/** The command line understands data, and chooses suitable defaults for them. */
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { elementCount } from '../../../training/arrays/index.ts';
import { chooseNetwork, requireFit } from '../../../training/run/choose-network.ts';
import { addDataOptions, type DataFlags, takeDataSource } from '../../../exporter/command/data-options.ts';
import { describeData } from '../../../exporter/command/describe-data.ts';
import { chooseLength } from '../../../training/run/settings.ts';
import { effortFor } from '../../../training/run/recipe.ts';
import type { Column, Dataset, DataSource, LoadedData } from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/errors.ts';
import { outputShapeOf, planNetwork } from '../../../training/network/index.ts';
import { binary, mse, multiclass } from '../../../training/objective/index.ts';

function sourceOf(...args: readonly string[]): DataSource | undefined {
  const command = addDataOptions(new Command().exitOverride().configureOutput({ writeErr: () => undefined }));
  command.parse(args, { from: 'user' });
  return takeDataSource(command.opts<DataFlags>()).source;
}

describe('the options about data', () => {
  test.each<[string, string[], DataSource | undefined]>([
    ['none', [], undefined],
    ['MNIST by its name', ['--data', 'mnist'], {}],
    ['a folder that is called so', ['--data', './mnist'], { path: './mnist' }],
    ['a table', ['--data', 'a.csv', '--label', 'y'], { path: 'a.csv', label: 'y' }],
    [
      'missing values by column and for the others',
      ['--data', 'a.csv', '--missing', 'a=b=median', 'mean'],
      { path: 'a.csv', impute: { 'a=b': 'median' }, imputeOthers: 'mean' },
    ],
    [
      'kinds of columns',
      ['--data', 'a.csv', '--numeric', 'a', 'b', '--categorical', 'c', '--ignore', 'd'],
      { path: 'a.csv', kinds: { a: 'numeric', b: 'numeric', c: 'categorical', d: 'ignored' } },
    ],
    [
      'no header',
      ['--data', 'a.csv', '--no-header', '--delimiter', ';'],
      { path: 'a.csv', header: false, delimiter: ';' },
    ],
    [
      'images',
      ['--data', 'a', '--image-size', '48x32', '--channels', '1'],
      { path: 'a', size: { rows: 32, columns: 48 }, channels: 1 },
    ],
    ['a square', ['--data', 'a', '--image-size', '32'], { path: 'a', size: { rows: 32, columns: 32 } }],
    [
      'shares and task',
      ['--data', 'a', '--test-share', '0.3', '--validation-share', '0.2', '--task', 'regression'],
      { path: 'a', task: 'regression', validationShare: 0.2, testShare: 0.3 },
    ],
  ])('%s', (_, args, source) => {
    expect(sourceOf(...args)).toEqual(source);
  });

  test.each([
    ['without data', ['--label', 'y'], '--data: expected a file or folder for the options about data, got none'],
    [
      'beside MNIST',
      ['--data', 'mnist', '--label', 'y'],
      '--data: expected a file or folder for the options about data, got mnist',
    ],
    [
      'two values for all columns',
      ['--data', 'a', '--missing', 'mean', 'median'],
      '--missing: expected one value for all other columns, got median',
    ],
  ])('are refused: %s', (_, args, message) => {
    expect(() => sourceOf(...args)).toThrow(new UserError(message));
  });

  test('refuse a size that is none', () => {
    expect(() => sourceOf('--data', 'a', '--image-size', '0x3')).toThrow('Expected a size such as 32 or 48x32.');
  });
});

describe('the length of training', () => {
  test.each([
    ['of MNIST', {}, 55_000, { epochs: 3, batchSize: 64 }],
    ['of a small table', {}, 142, { epochs: 100, batchSize: 32 }],
    ['of two samples', {}, 2, { epochs: 100, batchSize: 2 }],
    ['as asked for', { epochs: 7, batchSize: 10 }, 142, { epochs: 7, batchSize: 10 }],
    ['with one of them', { batchSize: 1000 }, 10_000, { epochs: 100, batchSize: 1000 }],
    ['in steps', { steps: 130 }, 640, { epochs: 13, batchSize: 64, steps: 130 }],
    ['in steps that end within an epoch', { steps: 25 }, 640, { epochs: 3, batchSize: 64, steps: 25 }],
  ])('%s', (_, asked, count, length) => {
    expect(chooseLength(asked, count)).toEqual(length);
  });

  test.each([
    [11_999, 9600, { epochs: 17, batchSize: 64 }],
    [12_000, 9600, { epochs: 67, batchSize: 128 }],
    [60_000, 48_000, { epochs: 14, batchSize: 128 }],
  ])('of a table of %d rows', (rows, count, length) => {
    expect(chooseLength({}, count, effortFor(rows))).toEqual(length);
  });

  test('is said once', () => {
    expect(() => chooseLength({ steps: 100, epochs: 3 }, 640)).toThrow(
      new UserError('--steps: expected no --epochs beside it, got 3'),
    );
  });
});

const columns: readonly Column[] = [
  { kind: 'numeric', name: 'age', fill: 34.5 },
  { kind: 'categorical', name: 'town', categories: ['Bern', 'Ulm'], fill: 1 },
];

const samples = (inputShape: readonly number[]) => ({
  inputShape,
  count: 1,
  inputs: new Float32Array(elementCount(inputShape)),
});
const classes = (inputShape: readonly number[], ...names: readonly string[]): Dataset => ({
  task: 'classification',
  ...samples(inputShape),
  labels: new Int32Array(1),
  classes: names,
});
const numbers: Dataset = { task: 'regression', ...samples([2]), values: new Float32Array(1) };
const loaded = (dataset: Dataset, its: readonly Column[] | null = null): LoadedData => ({
  train: dataset,
  validation: dataset,
  test: dataset,
  columns: its,
});
const source = { path: 'data/own.csv' };
const kindsOf = (layers: readonly { readonly kind: string }[]) => layers.map(({ kind }) => kind).join(' ');

/** Returns a table of so many rows, with columns of numbers, all different, and of categories. */
function tableOf(rows: number, names: readonly string[], { wide = 1, categories = 3 } = {}): LoadedData {
  const its: readonly Column[] = [
    ...Array.from({ length: wide }, (_, i): Column => ({ kind: 'numeric', name: `x${i}`, fill: null })),
    { kind: 'categorical', name: 'town', categories: Array.from({ length: categories }, String), fill: null },
  ];
  const row = (i: number) => [...Array.from({ length: wide }, (_, column) => i + column), i % categories];
  const part = (count: number): Dataset => ({
    task: 'classification',
    inputShape: [wide + 1],
    count,
    inputs: Float32Array.from(Array.from({ length: count }, (_, i) => row(i)).flat()),
    labels: new Int32Array(count),
    classes: names,
  });
  return { train: part(rows - 20), validation: part(10), test: part(10), columns: its };
}

describe('the network for a table', () => {
  const few = ['a', 'b', 'c'];
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i));
  const [early, late] = [
    'members dense batchNorm relu dense batchNorm relu heads',
    'dense members batchNorm relu dense',
  ];
  test.each<[string, LoadedData, string, { count: number; widths: readonly number[] }]>([
    ['of few rows', tableOf(300, few), early, { count: 16, widths: [64, 32] }],
    ['of many rows', tableOf(12_000, few), early, { count: 8, widths: [128, 64] }],
    ['of many rows and classes', tableOf(12_000, letters), early, { count: 4, widths: [256, 128] }],
    ['of few rows and many classes', tableOf(300, letters), early, { count: 16, widths: [64, 32] }],
    ['of thousands of categories', tableOf(3000, few, { categories: 1200 }), late, { count: 16, widths: [64, 32] }],
    ['of thousands of columns', tableOf(60, few, { wide: 2000 }), late, { count: 16, widths: [64, 32] }],
  ])('%s has members that suit it', async (_, data, kinds, { count, widths }) => {
    const network = await chooseNetwork({}, source, data, multiclass());
    expect(network.inputNormalization).toBe('robust');
    expect(kindsOf(network.layers)).toContain(kinds);
    expect(network.layers.flatMap((layer) => (layer.kind === 'dense' ? [layer.units] : []))).toEqual(widths);
    expect(network.layers.flatMap((layer) => (layer.kind === 'members' ? [layer.count] : []))).toEqual([count]);
    expect(outputShapeOf(planNetwork(network))).toEqual([
      data.train.task === 'classification' ? data.train.classes.length : 1,
    ]);
  });

  test('cuts numbers into 32 bins, and none where there are more numbers than bins for all', async () => {
    // Where all numbers differ, the uniform and the quantile edges coincide.
    const cut = await chooseNetwork({}, source, tableOf(300, few), multiclass());
    expect([cut.bins, cut.edges?.map(({ length }) => length)]).toEqual([32, [17, 0]]);
    const wide = await chooseNetwork({}, source, tableOf(60, few, { wide: 400 }), multiclass());
    expect([wide.bins, wide.edges]).toEqual([undefined, undefined]);
  });

  test('takes other members and bins, or none', async () => {
    const one = await chooseNetwork({ members: 1, bins: 0 }, source, tableOf(300, few), multiclass());
    expect(kindsOf(one.layers)).toBe('dense batchNorm relu dense batchNorm relu dense');
    expect([one.bins, one.inputNormalization]).toEqual([undefined, 'robust']);
    const other = await chooseNetwork({ members: 3, bins: 4 }, source, tableOf(300, few), multiclass());
    expect([other.bins, other.layers[0]]).toEqual([4, { kind: 'members', count: 3 }]);
  });

  test('has no place for categories that the training part lacks', async () => {
    const data = tableOf(22, few, { categories: 5 });
    const network = await chooseNetwork({}, source, data, multiclass());
    expect(network.unseen).toEqual([[], [2, 3, 4]]);
  });
});

describe('the network for data', () => {
  test('with columns is dense, of the widths asked for, and spreads categories', async () => {
    const network = await chooseNetwork(
      { hidden: [5] },
      source,
      loaded(classes([2], 'a', 'b', 'c'), columns),
      multiclass(),
    );
    expect(network).toMatchObject({ name: 'own', inputShape: [2], categories: [0, 2] });
    expect(kindsOf(network.layers)).toBe('dense batchNorm relu dense');
    expect(outputShapeOf(planNetwork(network))).toEqual([3]);
  });

  test('with numbers to predict answers in their unit', async () => {
    const network = await chooseNetwork({}, source, loaded(numbers), mse());
    expect(network.standardizedTargets).toBe(true);
    expect(outputShapeOf(planNetwork(network))).toEqual([1]);
  });

  test('cuts numbers, not categories, into bins that the training part suggests, and scales them by quartiles', async () => {
    const train = { ...numbers, count: 3, inputs: Float32Array.of(1, 0, 2, 1, 3, 1) };
    const network = await chooseNetwork({ bins: 4 }, source, loaded(train, columns), mse());
    expect(network).toMatchObject({ inputNormalization: 'robust', bins: 4, edges: [[1, 2, 3], []] });
    expect(outputShapeOf(planNetwork(network))).toEqual([1]);
    await expect(
      chooseNetwork({ bins: 4 }, source, loaded(classes([1, 8, 8], 'a', 'b')), multiclass()),
    ).rejects.toThrow(new UserError('--bins: expected rows of numbers, got samples of shape [1, 8, 8]'));
  });

  test('of members ends in heads that average what the objective can', async () => {
    const three = loaded(classes([2], 'a', 'b', 'c'), columns);
    const network = await chooseNetwork({ members: 4, hidden: [5] }, source, three, multiclass());
    expect(kindsOf(network.layers)).toBe('members dense batchNorm relu heads');
    expect(outputShapeOf(planNetwork(network))).toEqual([3]);
    const averages = [loaded(numbers), loaded(classes([2], 'a', 'b'))].map(async (data, i) => {
      const chosen = await chooseNetwork({ members: 2 }, source, data, i === 0 ? mse() : binary());
      return chosen.layers.at(-1);
    });
    expect(await Promise.all(averages)).toEqual([
      { kind: 'heads', units: 1, average: 'values' },
      { kind: 'heads', units: 1, average: 'sigmoid' },
    ]);
    const pictures = await chooseNetwork({ members: 2 }, source, loaded(classes([1, 8, 8], 'a', 'b')), multiclass());
    expect(kindsOf(pictures.layers)).toMatch(/^flatten members dense /);
  });

  test('is refused where its heads average what is no answer', async () => {
    const network = await chooseNetwork({ members: 2 }, source, loaded(numbers), mse());
    expect(() => {
      requireFit(planNetwork(network), loaded(classes([2], 'a', 'b')), binary());
    }).toThrow(new UserError('own: heads: expected the average of sigmoid, for objective binary, got values'));
    await expect(chooseNetwork({ network: 'mnist-mlp', members: 2 }, source, loaded(numbers), mse())).rejects.toThrow(
      new UserError('--members: expected no --network beside it, got "mnist-mlp"'),
    );
  });

  test('with two classes and a binary objective has one output', async () => {
    const network = await chooseNetwork({}, source, loaded(classes([2], 'a', 'b')), binary());
    expect(outputShapeOf(planNetwork(network))).toEqual([1]);
  });

  test.each([
    [[1, 28, 28], 2],
    [[3, 8, 30], 1],
    [[3, 64, 64], 4],
    [[1, 5, 5], 0],
  ])('with images %j has %d convolutions', async (shape, convolutions) => {
    const network = await chooseNetwork({}, { path: 'pictures/' }, loaded(classes(shape, 'a', 'b', 'c')), multiclass());
    expect(network.name).toBe('pictures');
    expect(network.layers.filter(({ kind }) => kind === 'conv2d')).toHaveLength(convolutions);
    expect(outputShapeOf(planNetwork(network))).toEqual([3]);
  });

  test('is mnist-cnn for MNIST, and flattens images for dense layers', async () => {
    const mnist = loaded(classes([1, 28, 28], ...Array.from({ length: 10 }, String)));
    expect((await chooseNetwork({}, {}, mnist, multiclass())).name).toBe('mnist-cnn');
    const network = await chooseNetwork({ hidden: [5] }, {}, mnist, multiclass());
    expect(kindsOf(network.layers)).toBe('flatten dense batchNorm relu dense');
  });

  test('is said once', async () => {
    const both = chooseNetwork({ network: 'mnist-mlp', hidden: [5] }, source, loaded(numbers), mse());
    await expect(both).rejects.toThrow(new UserError('--hidden: expected no --network beside it, got "mnist-mlp"'));
  });

  test('must take the samples and give what the objective wants', async () => {
    const plan = planNetwork(await chooseNetwork({}, source, loaded(classes([2], 'a', 'b', 'c')), multiclass()));
    const fit = (data: Dataset) => () => {
      requireFit(plan, loaded(data), multiclass());
    };
    expect(fit(classes([3], 'a', 'b', 'c'))).toThrow(
      'own: expected a network for inputs of shape [3], as the data have, got [2]',
    );
    expect(fit(classes([2], 'a', 'b'))).toThrow('expected a network that ends in [2], got [3]');
  });
});

test('a run says how it understood its data', () => {
  const summary = [
    {
      name: 'age',
      kind: 'number',
      values: '18 … 90',
      missing: 1234,
      done: 'missing: median 34.5, and the model is told',
    },
    { name: 'id', kind: 'left out', values: '', missing: 0, done: 'as told' },
  ];
  const [target, table = ''] = describeData(classes([2], 'no', 'yes'), summary);
  expect(target).toBe('classes: no, yes');
  expect(table).toContain('│ age    │ number   │ 18 … 90 │   1,234 │ missing: median 34.5, and the model  │');
  expect(table).toContain('│        │          │         │         │ is told                              │');
  expect(table).toContain('│ id     │ left out │         │         │ as told                              │');
  expect(describeData(numbers, undefined)).toEqual(['a number to predict']);
});
