/**
 * A file that takes the raw columns of a table gives in stock ONNX Runtime the same answers as the network behind the
 * Worker's row preparation.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportColumns } from '../../exporter/columns/export.ts';
import type { ExportedCard } from '../../exporter/model/card.ts';
import { exportModel } from '../../exporter/model/export.ts';
import { thresholdOf, predictedClass } from '../../training/answers/index.ts';
import { type Column, rowPreparer } from '../../training/columns/index.ts';
import { loadModel } from '../../training/checkpoint/index.ts';
import { createRandom } from '../../training/data/index.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { type TrainOptions, trainToFolder } from '../../training/run/index.ts';
import { createEvaluator } from '../../training/trainer/index.ts';

const backend = await nativeBackend({ threads: 1 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

type Encoding = Pick<TrainOptions, 'bins' | 'members'>;
type Value = string | number | null;
type Row = Readonly<Record<string, Value>>;

interface Table {
  readonly columns: readonly Column[];
  readonly classes: readonly string[];
  readonly session: InferenceSession;
  /** Returns the training graph's probabilities or numbers, `[rows · outputs]`. */
  readonly expected: (rows: readonly Row[]) => Promise<Float32Array>;
}

async function trainTable(name: string, csv: string, label: string, network: Encoding = {}): Promise<Table> {
  const path = join(folder, `${name}.csv`);
  await writeFile(path, csv);
  const config = { optimizer: 'adam', learningRate: 0.01, schedule: 'cosine', bnMomentum: 0.9, seed: 1 } as const;
  const { checkpoint } = await trainToFolder({
    data: { path, label, ...(csv.includes('size') && { kinds: { size: 'categorical' } }) },
    config: { ...config, epochs: 2, batchSize: 32 },
    hidden: [8],
    ...network,
    out: join(folder, 'runs', name),
    backend: 'native',
    threads: 1,
  });
  const file = join(folder, `${name}.onnx`);
  const { columns } = await exportColumns({ checkpoint }, file);
  const model = await loadModel(checkpoint);
  const { width, prepare } = rowPreparer(columns);
  const evaluator = await createEvaluator(backend, model.plan);
  const expected = async (rows: readonly Row[]): Promise<Float32Array> => {
    const inputs = new Float32Array(rows.length * width);
    for (const [i, row] of rows.entries()) {
      const complaint = prepare(columns.map(({ name }) => row[name]), inputs, i * width); // oxfmt-ignore
      expect(complaint, JSON.stringify(row)).toBeUndefined();
    }
    const output = await evaluator.logits(model.tensors, { count: rows.length, inputs, inputShape: [width] });
    return model.classes.length > 0 ? softmax(output, model.classes.length) : output;
  };
  return { columns, classes: model.classes, session: await InferenceSession.create(file), expected };
}

function softmax(logits: Float32Array, classes: number): Float32Array {
  return logits.map((_, i) => {
    const row = [...logits.subarray(i - (i % classes), i - (i % classes) + classes)];
    const sum = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
    return Math.exp(logits[i] ?? NaN) / sum;
  });
}

async function ask({ columns, session }: Pick<Table, 'columns' | 'session'>, rows: readonly Row[]) {
  const feeds = columns.map(({ name, kind }) => {
    const values = rows.map((row) => row[name] ?? null);
    const tensor =
      kind === 'numeric'
        ? new Tensor('float32', Float32Array.from(values, (value) => (typeof value === 'number' ? value : NaN)), [rows.length, 1])
        : new Tensor('string', values.map((value) => String(value ?? '')), [rows.length, 1]); // oxfmt-ignore
    return [name, tensor] as const;
  });
  const { label, probabilities, prediction } = await session.run(Object.fromEntries(feeds));
  return { labels: label?.data as string[], numbers: (probabilities ?? prediction)?.data as Float32Array };
}

/** Makes a table with gaps in columns of all kinds, and one column of each kind without. */
function madeUp(rows: number, isNumber: boolean): string {
  const { uniform: random } = createRandom(3);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const digits = (value: number) => String(value).padStart(2, '0');
  const lines = Array.from({ length: rows }, () => {
    const plan = pick(['Free', 'Pro, plus', 'Enterprise', '']);
    const size = pick(['1', '2', '4']);
    const seats = pick(['', (random() * 40).toFixed(1)]);
    const weight = (random() * 3 - 1).toFixed(3);
    const hour = Math.floor(random() * 24);
    const day = `${2018 + Math.floor(random() * 7)}-${digits(1 + Math.floor(random() * 12))}-${digits(1 + Math.floor(random() * 28))}`;
    const since = random() < 0.1 ? '' : `${day} ${digits(hour)}:${digits(Math.floor(random() * 60))}`;
    const opens = `${digits(Math.floor(random() * 24))}:30`;
    const score = (plan === 'Free' ? 2 : 0) + Number(weight) + (hour > 12 ? 1 : 0);
    const target = isNumber ? score.toFixed(2) : pick(['left', 'stayed', 'unknown to us']);
    return [`"${plan}"`, size, seats, weight, since, opens, pick(['yes', 'no']), target].join(',');
  });
  return ['plan,size,seats,weight,since,opens,news,target', ...lines].join('\n');
}

it('takes columns that are called as its own values and outputs are', { timeout: 60_000 }, async () => {
  const names = ['label', 'probabilities', 'fc1.weight', 'network/answer', 'logits', 'columns/IsNaN_0', 'answer/', 'constructor', '__proto__', 'a "b" 😀'];
  const { uniform } = createRandom(4);
  const rows = Array.from({ length: 64 }, (_, i) => Object.fromEntries(names.map((name) => [name, i % 7 === 0 ? null : Math.fround(uniform() - 0.5)])));
  const lines = rows.map((row, i) => [...Object.values(row), i % 2 === 0 ? 'even' : 'odd'].join(','));
  const header = [...names.map((name) => `"${name.replaceAll('"', '""')}"`), 'target'].join(',');
  const table = await trainTable('names', [header, ...lines].join('\n'), 'target');
  const { inputNames, outputNames } = table.session;
  expect([inputNames, outputNames]).toEqual([names, ['label_', 'probabilities_']]);
  const expected = await table.expected(rows);
  const feeds = names.map((name) => [name, new Tensor('float32', Float32Array.from(rows, (row) => row[name] ?? NaN), [rows.length, 1])] as const);
  const { label_: label, probabilities_: got } = await table.session.run(Object.fromEntries(feeds));
  const largest = Math.max(...expected.map((value, i) => Math.abs(value - Number(got?.data[i]))));
  expect(largest).toBeLessThan(1e-6);
  const best = rows.map((_, i) => ((expected[2 * i] ?? 0) >= (expected[2 * i + 1] ?? 0) ? 'even' : 'odd'));
  expect(label?.data).toEqual(best);
}); // oxfmt-ignore

describe.each<[string, number, Encoding]>([
  ['a table with categories, gaps, dates and times', 1e-6, {}],
  // A bin that is a tenth as wide as the range of its number amplifies an error in the last digit of a sine tenfold.
  ['such a table in bins', 1e-5, { bins: 16 }],
  ['such a table in bins for members', 1e-5, { bins: 16, members: 4 }],
])('%s', (name, tolerance, network) => {
  let table: Table;
  beforeAll(async () => {
    table = await trainTable(name, madeUp(600, false), 'target', network);
  }, 60_000);

  const row: Row = { plan: 'Free', size: '2', seats: 3, weight: 0.5, since: '2024-05-17 17:30', opens: '08:30', news: 'yes' }; // oxfmt-ignore

  it('has an input for each column, which says what it takes', () => {
    expect(table.session.inputNames).toEqual(['plan', 'size', 'seats', 'weight', 'since', 'opens', 'news']);
    expect(table.session.outputNames).toEqual(['label', 'probabilities']);
  });

  it.each<[string, Partial<Row>]>([
    ['as in training', {}],
    ['a gap in each column that has some', { plan: null, seats: null, since: null }],
    ['words for no value', { plan: 'NA', since: '#N/A' }],
    ['a category with a comma', { plan: 'Pro, plus' }],
    ['a number as a category, written otherwise', { size: '4.0' }],
    ['a truth written otherwise', { news: 'True' }],
    ['a date alone', { since: '2020-02-29' }],
    ['a time behind a T, with seconds and Z', { since: '2019-12-31T23:59:59.25Z' }],
    ['a date with numbers of one digit', { since: '2021-3-4 5:06' }],
    ['a year before training', { since: '1999-01-01 00:00' }],
    ['a year after training', { since: '2400-12-31 12:00' }],
    ['a leap year of a century', { since: '2000-03-01 12:00' }],
    ['a century without a leap day', { since: '2100-03-01 12:00' }],
    ['a time with a day before it', { opens: '2024-01-01 08:30' }],
    ['midnight at the end of the day', { opens: '24:00' }],
    ['a number far from training', { weight: -1000 }],
  ])('answers %s as the network does', async (_, change) => {
    const rows: readonly Row[] = [{ ...row, ...change } as Row, row];
    const { numbers, labels } = await ask(table, rows);
    const expected = await table.expected(rows);
    expectWithin(numbers, expected, tolerance);
    const best = rows.map((_, i) => [...expected.subarray(3 * i, 3 * i + 3)]).map((p) => p.indexOf(Math.max(...p)));
    expect(labels).toEqual(best.map((i) => table.classes[i]));
  });

  it.each<[string, Partial<Row>]>([
    ['a category never seen', { plan: 'Gold' }],
    ['a category where case differs', { plan: 'free' }],
    ['no value where training had one everywhere', { news: null }],
    ['no number where training had one everywhere', { weight: null }],
    ['a number beyond float32', { weight: Infinity }],
    ['a text that is no date', { since: 'yesterday' }],
    ['a month that is none', { since: '2024-13-01' }],
    ['a day that the month lacks', { since: '2023-02-29' }],
    ['an hour that is none', { since: '2024-01-01 25:00' }],
    ['a date in another order', { since: '17/05/2024' }],
    ['a date with more behind it', { since: '2024-05-17 and later' }],
  ])('gives no label and no number for %s, and answers the row beside it', async (_, change) => {
    const { numbers, labels } = await ask(table, [{ ...row, ...change } as Row, row]);
    expect([...numbers.subarray(0, 3)]).toEqual([NaN, NaN, NaN]);
    expect(labels[0]).toBe('');
    expectWithin(numbers.subarray(3), await table.expected([row]), tolerance);
    expect(table.classes).toContain(labels[1]);
  });

  it('answers every row of any batch as it answers the row alone', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({
      ...row,
      plan: i % 3 === 0 ? null : 'Enterprise',
      since: i % 4 === 0 ? null : `${2018 + (i % 7)}-0${1 + (i % 9)}-1${i % 10}${i % 2 === 0 ? '' : ` 1${i % 10}:00`}`,
    }));
    const together = (await ask(table, rows)).numbers;
    const alone = await Promise.all(rows.map(async (one) => [...(await ask(table, [one])).numbers]));
    expectWithin(together, alone.flat(), tolerance);
  });
});

describe('a table to a number', () => {
  it.each<[string, Encoding]>([
    ['the number', {}],
    ['the mean of the members', { members: 4, bins: 8 }],
  ])(
    'gives %s in its unit',
    async (name, network) => {
      const table = await trainTable(name, madeUp(600, true), 'target', network);
      expect(table.session.outputNames).toEqual(['prediction']);
      const row = {
        plan: 'Free',
        size: '2',
        seats: 3,
        weight: 0.5,
        since: '2024-05-17 17:30',
        opens: '08:30',
        news: 'no',
      };
      const rows = [row, { ...row, seats: null, plan: null }];
      expectWithin((await ask(table, rows)).numbers, await table.expected(rows), 1e-5);
    },
    60_000,
  );
});

describe('a model whose answers are read by a temperature and a threshold', () => {
  const rows: Row[] = Array.from({ length: 200 }, (_, i) => ({ x: Math.sin(i), y: Math.cos(3 * i) }));
  const threshold = { rule: 0.125, positive: 'no' } as const;
  let run: string;
  let card: ExportedCard;
  beforeAll(async () => {
    const { uniform } = createRandom(5);
    // A quarter of the labels are wrong, so a network that has memorized some of them is overconfident.
    const lines = Array.from({ length: 3000 }, () => {
      const [x, y] = [uniform() * 2 - 1, uniform() * 2 - 1];
      return `${x},${y},${x > y !== uniform() < 0.25 ? 'yes' : 'no'}`;
    });
    const path = join(folder, 'sure.csv');
    await writeFile(path, ['x,y,target', ...lines].join('\n'));
    const config = { optimizer: 'adam', learningRate: 0.02, schedule: 'constant', bnMomentum: 0.9, seed: 1 } as const;
    const out = join(folder, 'runs', 'sure');
    const options = {
      data: { path, label: 'target', validationShare: 0.3 },
      hidden: [64, 64],
      out,
      backend: 'native',
      threads: 1,
    } as const;
    run = (await trainToFolder({ ...options, config: { ...config, epochs: 6, batchSize: 32 } })).checkpoint;
    card = await exportModel({ checkpoint: run, name: 'sure', models: join(folder, 'models'), reading: { threshold } });
  }, 120_000);

  it('keeps the threshold of the card that it replaces, and says so', async () => {
    const notes: string[] = [];
    const again = { checkpoint: run, name: 'sure', models: join(folder, 'models') };
    const { threshold: kept } = await exportModel(again, backend, (line) => notes.push(line));
    expect(kept).toEqual(card.threshold);
    expect(notes).toContain('the threshold of "no" is 0.125, as in the former card; --threshold 0.5 drops it');
  });

  it.each(['running', 'population'] as const)(
    'answers as the exported model with %s statistics',
    async (statistics) => {
      expect(card.temperature).toBeGreaterThan(0);
      const source = { checkpoint: run, statistics, reading: { threshold } };
      const models = join(folder, 'models', statistics);
      const exported = await exportModel({ ...source, name: 'sure', models });
      const file = join(folder, `sure-${statistics}.onnx`);
      const { columns } = await exportColumns(source, file);
      const { width, prepare } = rowPreparer(columns);
      const inputs = new Float32Array(rows.length * width);
      for (const [i, row] of rows.entries()) prepare([row.x, row.y], inputs, i * width);
      const served = await InferenceSession.create(join(models, 'sure', 'model.onnx'));
      const feeds = { [served.inputNames[0] ?? '']: new Tensor('float32', inputs, [rows.length, width]) };
      const logits = (await served.run(feeds))[served.outputNames[0] ?? '']?.data as Float32Array;
      const shares = softmax(logits, 2);
      const got = await ask({ columns, session: await InferenceSession.create(file) }, rows);
      expectWithin(got.numbers, shares, 1e-6);
      const chosen = thresholdOf(exported.threshold?.at, exported.labels);
      const told = rows.map((_, i) => exported.labels?.[predictedClass(shares.subarray(2 * i, 2 * i + 2), chosen)]);
      expect(got.labels).toEqual(told);
      const argMax = rows.map(
        (_, i) => exported.labels?.[predictedClass(shares.subarray(2 * i, 2 * i + 2), undefined)],
      );
      expect(got.labels, 'a threshold of an eighth tells more').not.toEqual(argMax);
    },
  );
});

it('refuses a checkpoint whose inputs have no names', async () => {
  const checkpoint = 'test/fixtures/pytorch/none.safetensors';
  await expect(exportColumns({ checkpoint }, join(folder, 'none.onnx'))).rejects.toThrow(/none\.safetensors/);
});

function expectWithin(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs((got[i] ?? NaN) - (expected[i] ?? NaN));
    expect(error, `number ${i}: expected ${expected[i]}, got ${got[i]}, error ${error}`).toBeLessThanOrEqual(tolerance);
  }
}
