/**
 * Answers are read by the run's validation part, and the same everywhere: the class by its threshold, the temperature
 * in the file and the interval around a number agree in evaluate, over HTTP, as CSV and in a program's calls.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage } from '../../exporter/edge/build-image.ts';
import { evaluate, type Evaluated, exportModel, type ModelCard } from '../../exporter/index.ts';
import { readCard } from '../../exporter/store/card.ts';
import { createRandom } from '../../training/data/index.ts';
import { trainToFolder } from '../../training/run/index.ts';
import { createWorker, type Image, type Predictor, type WorkerHandler } from '../../worker/create-worker.ts';
import { ask, jsonRequest } from '../worker/images.ts';

type Row = Readonly<Record<string, unknown>>;

let folder: string;
let worker: WorkerHandler;
let card: { readonly churn: ModelCard; readonly price: ModelCard };
let program: { readonly churn: Predictor<Row, string>; readonly price: Predictor<Row, number> };
const at = (...path: readonly string[]) => join(folder, ...path);
const ROWS = 2600;

/** Generates rows, few of which churn, with a price for the second model. */
function rowsOf(): readonly Row[] {
  const random = createRandom(9);
  return Array.from({ length: ROWS }, () => {
    const [age, visits] = [Math.round(40 + 12 * random.normal()), Math.round(20 * random.uniform())];
    const plan = ['basic', 'plus', 'pro'][Math.floor(3 * random.uniform())] ?? '';
    const z = -2.2 + 0.05 * (age - 40) - 0.1 * (visits - 10) + (plan === 'basic' ? 1 : 0);
    const churned = random.uniform() < 1 / (1 + Math.exp(-z)) ? 'yes' : 'no';
    return { age, visits, plan, churned, price: (10 + 0.5 * age + 3 * random.normal()).toFixed(2) };
  });
}

async function trainedOn(label: string, ignored: string): Promise<string> {
  const all = rowsOf();
  const names = Object.keys(all[0] ?? {}).filter((name) => name !== ignored);
  const lines = all.map((row) => names.map((name) => String(row[name])).join(','));
  await writeFile(at(`${label}.csv`), [names.join(','), ...lines, ''].join('\n'));
  const { checkpoint } = await trainToFolder({
    data: { path: at(`${label}.csv`), label, validationShare: 0.25 },
    hidden: [32, 16],
    config: {
      ...{ optimizer: 'adam', learningRate: 0.01, schedule: 'cosine', bnMomentum: 0.9 },
      // The training is too long on purpose: such a network is overconfident.
      ...{ seed: 1, epochs: 40, batchSize: 32, keep: 'last' },
    },
    ...{ backend: 'native', threads: 1, out: at('runs', label) },
  });
  return checkpoint;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-readings-'));
  const [churn, price] = [await trainedOn('churned', 'price'), await trainedOn('price', 'churned')];
  const models = at('models');
  await exportModel({ checkpoint: churn, name: 'churn', models, reading: { threshold: { rule: { fp: 1, fn: 5 } } } });
  await exportModel({ checkpoint: price, name: 'price', models });
  card = { churn: await readCard(models, 'churn'), price: await readCard(models, 'price') };
  await buildImage({ models, out: at('image'), unoptimized: true, trim: false });
  const { default: image, ...calls } = (await import(pathToFileURL(at('image', 'image.mjs')).href)) as {
    readonly default: Image;
  } & typeof program;
  program = calls;
  worker = createWorker(image, { log: false, limits: { batch: 4000 } });
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const predict = async (name: string, instances: readonly Row[], accept = 'application/json') => {
  const request = jsonRequest({ instances });
  return ask(worker, `/v1/models/${name}:predict`, {
    ...request,
    headers: { 'content-type': 'application/json', accept },
  });
};

const predictionsOf = async (name: string, rows: readonly Row[]) => {
  const { body } = await predict(name, rows);
  return (body as { predictions: readonly Readonly<Record<string, unknown>>[] }).predictions;
};

/** Returns the rows of the test part, without the columns to predict. */
function tested({ samples }: Evaluated): readonly Row[] {
  const all = rowsOf();
  return Array.from(samples.lines ?? [], (line) => {
    const { churned: _, price: __, ...row } = all[line - 2] ?? {};
    return row;
  });
}

describe('a threshold', () => {
  it('is in the card, chosen for costs on the validation part, and lower than a half as missed ones cost more', () => {
    const { threshold, temperature } = card.churn;
    expect(threshold?.for).toEqual({ fp: 1, fn: 5 });
    expect(Object.keys(threshold?.at ?? {})).toEqual(['yes']);
    expect(threshold?.at['yes']).toBeGreaterThan(0.02);
    expect(threshold?.at['yes']).toBeLessThan(0.45);
    expect(temperature).toBeGreaterThan(1);
  });

  it('is the same in evaluate on the run, on the file, over HTTP, by classify and in a program', async () => {
    const reading = { threshold: { rule: { fp: 1, fn: 5 } } } as const;
    const run = await evaluate({ checkpoint: at('runs', 'churned', 'checkpoint.safetensors'), reading });
    const { threshold } = run.reading;
    expect({ [['no', 'yes'][threshold?.class ?? 0] ?? '']: threshold?.at }).toEqual(card.churn.threshold?.at);
    const rows = tested(run);
    await writeFile(at('test.csv'), testFile(rows, run));
    const file = await evaluate({
      model: at('models', 'churn', 'model.onnx'),
      data: { path: at('test.csv'), label: 'churned' },
    });
    expect(file.reading.threshold).toEqual({ class: 1, at: threshold?.at, label: 'yes' });
    expect(file.report.confusion).toEqual(run.report.confusion);
    expect(file.report.metrics['accuracy']).toBe(run.report.metrics['accuracy']);
    expect(file.report.metrics).toMatchObject({ accuracy: card.churn.metrics?.['accuracy'] });
    const [served, called] = [await predictionsOf('churn', rows), await program.churn.predictMany(rows)];
    expect(called).toEqual(served);
    const told = served.map(({ label }) => label);
    const counts = confusionOf(told, run);
    expect(counts).toEqual(run.report.confusion);
    // Some rows get the class with a probability below a half.
    expect(served.some(({ label, probability }) => label === 'yes' && (probability as number) < 0.5)).toBe(true);
    const { body } = await ask(
      worker,
      '/v2/models/churn/classify?top_k=2',
      jsonRequest({ instances: rows.slice(0, 200) }),
    );
    const { predictions } = body as { predictions: readonly { label: string; probability: number }[] };
    expect(predictions.map(({ label }) => label)).toEqual(told.slice(0, 200));
  });

  it('turns an answer where why says so', async () => {
    const { churned: _, price: __, ...row } = rowsOf()[5] ?? {};
    const { body } = await ask(
      worker,
      '/v1/models/churn:predict',
      jsonRequest({ instances: [row], parameters: { explain: true } }),
    );
    const [{ label, explanation }] = (body as { predictions: [{ label: string; explanation: { of: string; flips?: { column: string; value: unknown; label: string }[] } }] }).predictions; // oxfmt-ignore
    expect(explanation.of).toBe(label);
    for (const flip of explanation.flips ?? []) {
      const [other] = await predictionsOf('churn', [{ ...row, [flip.column]: flip.value }]);
      expect([flip.label, flip.label]).toEqual([other?.['label'], label === 'yes' ? 'no' : 'yes']);
    }
  });

  it('is told by the metadata, with the calibration and what columns are worth', async () => {
    const { body } = await ask(worker, '/v2/models/churn');
    const { parameters } = body as { parameters: Record<string, unknown> };
    expect(parameters).toMatchObject({ threshold: card.churn.threshold?.at, calibration: card.churn.calibration });
    expect(parameters['importance']).toEqual(card.churn.importance);
    const names = card.churn.importance?.columns.map(({ name }) => name) ?? [];
    expect([...names].sort()).toEqual(['age', 'plan', 'visits']);
    expect(card.churn.importance?.columns.every(({ mean, deviation }) => mean > 2 * deviation)).toBe(true);
  });

  it('is chosen anew by the next export, for what the card says', async () => {
    const checkpoint = at('runs', 'churned', 'checkpoint.safetensors');
    const again = await exportModel({ checkpoint, name: 'churn', models: at('models') });
    expect(again.threshold).toEqual(card.churn.threshold);
  });
});

/** Writes the rows with their classes into another file. */
function testFile(rows: readonly Row[], { samples }: Evaluated): string {
  const labels = samples.task === 'classification' ? samples.labels : [];
  const lines = rows.map((row, i) => [...Object.values(row), ['no', 'yes'][labels[i] ?? 0]].map(String).join(','));
  return [`${Object.keys(rows[0] ?? {}).join(',')},churned`, ...lines, ''].join('\n');
}

function confusionOf(told: readonly unknown[], { samples }: Evaluated): readonly (readonly number[])[] {
  const labels = samples.task === 'classification' ? samples.labels : new Int32Array();
  return [0, 1].map((label) =>
    ['no', 'yes'].map((name) => told.filter((one, i) => one === name && labels[i] === label).length),
  );
}

describe('an interval', () => {
  it('is in the card with what it held of the test part, near its level', () => {
    const { interval, intervals = [] } = card.price;
    expect(interval).toBe(0.9);
    expect(intervals.map(({ level }) => level)).toEqual([0.5, 0.8, 0.9, 0.95, 0.99]);
    for (const { level, coverage = NaN } of intervals) expect(Math.abs(coverage - level)).toBeLessThan(0.06);
  });

  it('is the same in evaluate, over HTTP, as CSV and in a program, and holds as many', async () => {
    const run = await evaluate({ checkpoint: at('runs', 'price', 'checkpoint.safetensors') });
    const told = card.price.intervals?.find(({ level }) => level === 0.9);
    expect(run.interval).toEqual(told);
    const rows = tested(run);
    const values = run.samples.task === 'regression' ? run.samples.values : [];
    const served = await predictionsOf('price', rows);
    expect(await program.price.predictMany(rows)).toEqual(served);
    const halfWidth = told?.halfWidth ?? NaN;
    for (const { value, low, high } of served.slice(0, 50)) {
      expect(Math.abs(Number(value) - halfWidth - Number(low))).toBeLessThan(1e-4);
      expect(Math.abs(Number(value) + halfWidth - Number(high))).toBeLessThan(1e-4);
    }
    const held = served.filter(
      ({ low, high }, i) => Number(low) <= (values[i] ?? NaN) && (values[i] ?? NaN) <= Number(high),
    );
    expect(Math.abs(held.length / rows.length - (told?.coverage ?? NaN))).toBeLessThanOrEqual(1 / rows.length);
    const { text } = await predict('price', rows.slice(0, 2), 'text/csv');
    expect(text.split(/\r?\n/)[0]).toBe('value,low,high');
    expect(text.split(/\r?\n/)[1]).toBe(['value', 'low', 'high'].map((name) => String(served[0]?.[name])).join(','));
  });

  it('is of another level where the card says so, and of none that nobody has measured', async () => {
    const path = at('models', 'price', 'card.json');
    const text = await readFile(path, 'utf8');
    const build = () => buildImage({ models: at('models'), out: at('other'), unoptimized: true, trim: false });
    try {
      await writeFile(path, text.replace('"interval": 0.9', '"interval": 0.85'));
      await expect(build()).rejects.toThrow(
        /interval: expected 0.5, 0.8, 0.9, 0.95, 0.99, got 0.85; bn-edge export --interval 0.85 measures it/,
      );
    } finally {
      await writeFile(path, text);
    }
  });
});
