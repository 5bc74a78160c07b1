/**
 * Each row of a table with categories, dates and gaps gets, from training through export and image to HTTP, the class
 * and the logits that the checkpoint gives it, and `evaluate` counts as many of the same rows as right.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage } from '../../exporter/edge/build-image.ts';
import { exportModel } from '../../exporter/model/export.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { loadModel } from '../../training/checkpoint/index.ts';
import { type ClassificationDataset, readCells, readKnownTable } from '../../training/data/index.ts';
import { answersOfCheckpoint, evaluate, type TrainOptions, trainToFolder } from '../../training/run/index.ts';
import { createWorker, type Image, type Predictor } from '../../worker/create-worker.ts';
import { documented, type Fetch } from './documented.ts';

const backend = await nativeBackend({ threads: 1 });

let folder: string;
let fetchDocumented: Fetch;
let penguins: Predictor<Readonly<Record<string, unknown>>, string>;
let checkpoint: string;
let rows: ClassificationDataset;
let logits: Float32Array;
const at = (...path: readonly string[]) => join(folder, ...path);

/** Writes the penguins, with a column of days that has gaps. */
async function writeTable(path: string): Promise<void> {
  const [head = '', ...lines] = (await readFile('test/fixtures/penguins.csv', 'utf8')).trimEnd().split('\n');
  const day = (i: number) =>
    i % 11 === 0 ? '' : new Date(Date.UTC(2007 + (i % 3), 10, 1 + (i % 30))).toISOString().slice(0, 10);
  await writeFile(path, [`${head},day`, ...lines.map((line, i) => `${line},${day(i)}`)].join('\n'));
}

type Described = Pick<TrainOptions, 'hidden' | 'members' | 'bins'>;

async function serve(network: Described): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-rows-'));
  await writeTable(at('penguins.csv'));
  const run = await trainToFolder({
    data: { path: at('penguins.csv'), label: 'species' },
    ...network,
    config: {
      optimizer: 'adam',
      learningRate: 0.01,
      schedule: 'cosine',
      bnMomentum: 0.9,
      seed: 1,
      epochs: 8,
      batchSize: 32,
    },
    backend: 'native',
    threads: 1,
    out: at('runs', 'penguins'),
  });
  ({ checkpoint } = run);
  await exportModel({ checkpoint, name: 'penguins', models: at('models'), explain: true }, backend);
  await buildImage({ models: at('models'), out: at('image'), unoptimized: true, trim: false });
  const module = (await import(pathToFileURL(at('image', 'image.mjs')).href)) as {
    readonly default: Image;
    readonly penguins: typeof penguins;
  };
  const { default: image } = module;
  ({ penguins } = module);
  const worker = createWorker(image, { log: false, docs: true, limits: { batch: 1000 } });
  fetchDocumented = documented((request) => worker.fetch(request));
  const { columns = [], classes } = await loadModel(checkpoint);
  const known = await readKnownTable(at('penguins.csv'), { label: 'species' }, { columns, classes });
  rows = known.dataset as ClassificationDataset;
  logits = await answersOfCheckpoint(checkpoint, rows, backend);
}

describe.each<[string, readonly number[], Described]>([
  ['a table with categories, dates and gaps', [16], { hidden: [16] }],
  ['such a table in bins for members', [64], { hidden: [16], members: 4, bins: 16 }],
  ['such a table, trained by default', [16 * 64, 16 * 32], {}],
])('%s', (_name, channels, network) => {
  beforeAll(() => serve(network));
  afterAll(() => rm(folder, { recursive: true }));

  it('is kept by the checkpoint with what stands in for gaps', async () => {
    const { columns = [], plan } = await loadModel(checkpoint);
    expect(columns.map(({ kind, fill }) => [kind, fill !== null])).toEqual([
      ['categorical', false],
      ['numeric', true],
      ['numeric', true],
      ['numeric', true],
      ['numeric', true],
      ['categorical', true],
      ['date', true],
    ]);
    // Year, season, day of the month and weekday of the date take seven numbers. The four numbers and the date have
    // indicators of gaps.
    expect(plan.network.inputShape).toEqual([6 + 7]);
    expect(plan.network.indicators).toHaveLength(5);
    expect([...rows.inputs].filter((value) => Number.isNaN(value)).length).toBeGreaterThan(100);
  });

  it('is answered over HTTP row by row as the checkpoint answers, gaps included', async () => {
    const { count, inputs } = rows;
    const data = Array.from(inputs, (value) => (Number.isNaN(value) ? 'NaN' : value));
    const body = JSON.stringify({ inputs: [{ name: 'features', datatype: 'FP32', shape: [count, 13], data }] });
    const headers = { 'content-type': 'application/json' };
    const request = new Request('http://worker/v2/models/penguins/infer', { method: 'POST', body, headers });
    const response = await fetchDocumented(request);
    expect(response.status).toBe(200);
    const { outputs } = (await response.json()) as { outputs: [{ data: number[] }] };
    const served = outputs[0].data;
    expect(served).toHaveLength(logits.length);
    const worst = served.reduce((max, value, i) => Math.max(max, Math.abs(value - (logits[i] ?? NaN))), 0);
    expect(worst).toBeLessThan(1e-4);
  });

  it('is answered in its own words, as it stands in the file', async () => {
    const cells = await readCells(at('penguins.csv'), {}, new Set(rows.lines));
    const instances = Array.from(rows.lines ?? [], (line) => {
      const { species: _, ...row } = Object.fromEntries(cells.get(line) ?? []);
      // The rows hold numbers, and null for a gap, as a program has them.
      return Object.fromEntries(
        Object.entries(row).map(([name, cell]) => [
          name,
          name.includes('_') && cell !== 'NA' ? Number(cell) : cell || null,
        ]),
      );
    });
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ instances });
    const url = 'http://worker/v1/models/penguins:predict';
    const response = await fetchDocumented(new Request(url, { method: 'POST', body, headers }));
    expect(response.status).toBe(200);
    const { predictions } = (await response.json()) as {
      predictions: { label: string; probabilities: Record<string, number> }[];
    };
    expect(predictions).toHaveLength(344);
    // The calls without HTTP use two batches; other batch sizes may round differently.
    const called = await penguins.predictMany(instances);
    expect(called.map(({ label }) => label)).toEqual(predictions.map(({ label }) => label));
    called.forEach(({ probabilities = {} }, i) => {
      for (const label of rows.classes)
        expect(probabilities[label]).toBeCloseTo(predictions[i]?.probabilities[label] ?? NaN, 6);
    });
    const [first = {}] = instances;
    const alone = await fetchDocumented(new Request(url, { method: 'POST', body: JSON.stringify(first), headers }));
    expect({ predictions: [await penguins.predict(first)] }).toEqual(await alone.json());
    predictions.forEach(({ probabilities }, i) => {
      const [z0 = NaN, z1 = NaN, z2 = NaN] = logits.subarray(3 * i, 3 * i + 3);
      const sum = [z0, z1, z2].reduce((all, z) => all + Math.exp(z), 0);
      rows.classes.forEach((label, k) => {
        expect(probabilities[label]).toBeCloseTo(Math.exp([z0, z1, z2][k] ?? NaN) / sum, 5);
      });
    });
  });

  it('is looked into by the names of its columns, alone and among others', async () => {
    const alone = { island: 'Dream', bill_length_mm: 49, sex: null, day: '2008-11-03' };
    const other = { island: 'Biscoe', bill_length_mm: 39.1, bill_depth_mm: 18.7, sex: 'male' };
    const send = async (path: string, instances: readonly object[]): Promise<unknown> => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ instances });
      const response = await fetchDocumented(new Request(`http://worker${path}`, { method: 'POST', body, headers }));
      expect(response.status).toBe(200);
      return response.json();
    };
    const explain = '/v2/models/penguins/explain?sample=1';
    const { answers, layers, batch_size } = (await send(explain, [other, alone])) as {
      answers: Record<'running' | 'batch', { probabilities: Record<string, number> }>;
      layers: { channels: number; shape: number[] }[];
      batch_size: number;
    };
    const { predictions } = (await send('/v1/models/penguins:predict', [alone])) as { predictions: object[] };
    expect([batch_size, layers.map(({ shape }) => shape)]).toEqual([2, channels.map((count) => [count])]);
    for (const name of rows.classes) {
      const [{ probabilities }] = predictions as [typeof answers.running];
      expect(answers.running.probabilities[name]).toBeCloseTo(probabilities[name] ?? NaN, 5);
    }
    expect(answers.batch).not.toEqual(answers.running);
  });

  it('is answered as the file has it, by the names of its columns, as the checkpoint answers', async () => {
    const request = new Request('http://worker/v1/models/penguins:predict?unknown=ignore', {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: await readFile(at('penguins.csv')),
    });
    const response = await fetchDocumented(request);
    expect(response.status).toBe(200);
    const { predictions } = (await response.json()) as {
      predictions: { label: string; probability: number; probabilities: Record<string, number> }[];
    };
    const { classes, count } = rows;
    expect(predictions).toHaveLength(count);
    for (const [i, { label, probability, probabilities }] of predictions.entries()) {
      const own = [...logits.subarray(i * classes.length, (i + 1) * classes.length)];
      const sum = own.reduce((total, value) => total + Math.exp(value), 0);
      expect(label).toBe(classes[own.indexOf(Math.max(...own))]);
      expect(probability).toBe(probabilities[label]);
      for (const [k, name] of classes.entries())
        expect(Math.abs((probabilities[name] ?? NaN) - Math.exp(own[k] ?? NaN) / sum)).toBeLessThan(1e-5);
    }
  });

  it('is scored by evaluate as it is served', async () => {
    const { report, samples, unknown } = await evaluate({ checkpoint, part: 'all', backend: 'native' });
    const { classes, labels } = rows;
    const right = labels.filter((label, i) => {
      const own = [...logits.subarray(i * classes.length, (i + 1) * classes.length)];
      return own.indexOf(Math.max(...own)) === label;
    });
    expect([samples.count, unknown.length]).toEqual([344, 0]);
    expect(report.metrics['accuracy']).toBeCloseTo(right.length / 344, 6);
    expect(right.length).toBeGreaterThan(320);
  });
});
