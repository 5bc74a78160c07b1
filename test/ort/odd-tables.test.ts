/**
 * Tables that could break a default are trained on, exported and deployed: the exported file and a Worker of all these
 * models, compiled, answer rows that training has not seen as the network does.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage } from '../../exporter/edge/build-image.ts';
import { exportModel } from '../../exporter/model/export.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { loadModel } from '../../training/checkpoint/model.ts';
import { classesOf, createRandom } from '../../training/data/index.ts';
import { evaluate, trainToFolder } from '../../training/run/index.ts';
import { createWorker, type Image } from '../../worker/create-worker.ts';

const backend = await nativeBackend({ threads: 1 });
const settings = { optimizer: 'adam', learningRate: 0.002, schedule: 'cosine', bnMomentum: 0.9, seed: 1 } as const;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-odd-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Odd {
  readonly rows: number;
  /** Returns the cells of a row, by column. */
  readonly row: (i: number, random: () => number, x: number) => Readonly<Record<string, string | number>>;
  /** Returns the label of a row, whose number `x` is between 0 and 1. */
  readonly label?: (x: number, i: number) => string | number;
  /** Replaces cells in the new file. */
  readonly later?: Readonly<Record<string, string>>;
  readonly missing?: string;
}

const many = (count: number, cell: (column: number) => number): Readonly<Record<string, number>> =>
  Object.fromEntries(Array.from({ length: count }, (_, column) => [`c${column}`, cell(column)]));

const tables: Readonly<Record<string, Odd>> = {
  'of constants beside a number': { rows: 300, row: () => ({ same: 7, word: 'one' }) },
  'of two values in a column': { rows: 300, row: (i) => ({ bit: i % 2, far: i % 3 === 0 ? -5 : 1e6 }) },
  'of one value in nearly all rows': { rows: 300, row: (i) => ({ mostly: i % 50 === 0 ? i : 0 }) },
  'of 3,000 categories': {
    rows: 6200,
    row: (i, random) => ({ town: `town ${i < 3100 ? Math.floor(300 * random()) : i % 3000}` }),
  },
  'of 2,000 columns': { rows: 300, row: (_, random) => many(2000, () => Number(random().toFixed(3))) },
  'of classes with one row': {
    rows: 300,
    row: () => ({}),
    label: (x, i) => (i === 5 ? 'rare' : i === 9 ? 'rarer' : String(x > 0.5)),
  },
  'of columns that a new file lacks': {
    rows: 300,
    row: (i) => ({ gappy: i % 7 === 0 ? '' : i % 11, town: i % 5 === 0 ? '' : (['Ulm', 'Bern'][i % 2] ?? '') }),
    later: { gappy: '', town: '' },
  },
  'of columns without gaps that may have some later': {
    rows: 300,
    row: (i) => ({ whole: i % 11 }),
    later: { whole: '', x: '' },
    missing: 'median',
  },
  'of columns that hold nothing': { rows: 300, row: () => ({ gone: '', na: 'NA' }) },
  'of 20 rows': { rows: 20, row: (i) => ({ m: i % 3 }) },
  'of numbers at the ends of float32': {
    rows: 300,
    row: (i, random) => ({ far: 8e37 * random(), near: 1e-35 * i, endless: i % 9 === 0 ? 'inf' : i }),
    later: { far: '-3e38', near: '1e-45', endless: '-Infinity' },
  },
  'of a label that is a column, too': { rows: 300, row: (i, _, x) => ({ copy: x > 0.5 ? 'high' : 'low', i }) },
  'of dates and words for true': {
    rows: 300,
    row: (i) => ({ day: `2024-${String((i % 12) + 1).padStart(2, '0')}-0${(i % 9) + 1}`, isOpen: i % 2 ? 'TRUE' : '' }),
    later: { day: '1969-12-31', isOpen: '' },
  },
  'of names and categories in any script': {
    rows: 300,
    row: (i) => ({ __proto__x: i, städt: ['東京', '👩‍👩‍👧', '"a,b"', '"q""q"', '"line\nbreak"'][i % 5] ?? '' }),
    label: (x) => (x > 0.5 ? '👍' : '__proto__'),
  },
  'of classes that look like numbers': {
    rows: 300,
    row: (i) => ({ i }),
    label: (x) => ['1', '1.0', '01'][Math.floor(3 * x)] ?? '',
  },
  'of numbers to predict, one of them far away': {
    rows: 300,
    row: (i) => ({ i }),
    label: (x, i) => (i === 7 ? 1e30 : x),
  },
};

async function writeTable(path: string, odd: Odd, later: Odd['later'] = {}): Promise<void> {
  const random = createRandom(3);
  const lines = Array.from({ length: odd.rows }, (_, i) => {
    const x = Number(random.uniform().toFixed(4));
    const cells = { ...odd.row(i, () => random.uniform(), x), x, ...later };
    return { ...cells, label: (odd.label ?? ((value) => (value > 0.5 ? 'high' : 'low')))(x, i) };
  });
  const names = Object.keys(lines[0] ?? {});
  const text = lines.map((line) => Object.values(line).join(','));
  await writeFile(path, `${[names.join(','), ...text].join('\n')}\n`);
}

const at = (name: string, file = ''): string => join(folder, `${name.replaceAll(/\W+/g, '-')}${file}`);
const modelOf = (name: string): string => `odd-${Object.keys(tables).indexOf(name)}`;

/** Trains on a table and exports the model. @returns the run, the card and the answers to a new file */
async function make(name: string, odd: Odd) {
  await writeTable(at(name, '.csv'), odd);
  const { checkpoint, test } = await trainToFolder({
    data: { path: at(name, '.csv'), label: 'label', ...(odd.missing !== undefined && { imputeOthers: odd.missing }) },
    config: { ...settings, steps: 60 },
    backend: 'native',
    threads: 1,
    out: at(name, '-run'),
  });
  const options = { checkpoint, name: modelOf(name), models: join(folder, 'models'), statistics: 'running' } as const;
  const card = await exportModel(options, backend);
  await writeTable(at(name, '-new.csv'), odd, odd.later);
  const data = { path: at(name, '-new.csv'), label: 'label' };
  return { checkpoint, test, card, ...(await evaluate({ checkpoint, data, part: 'all' })) };
}

type Made = Awaited<ReturnType<typeof make>>;
const all = new Map<string, Promise<Made>>();

function made(name: string): Promise<Made> {
  const odd = tables[name];
  if (!odd) throw new Error(`no table ${name}`);
  const promise = all.get(name) ?? make(name, odd);
  all.set(name, promise);
  return promise;
}

describe.each(Object.entries(tables))('a table %s', (name, { rows }) => {
  it('is trained by default, exported, and answered as the training graph answers', { timeout: 60_000 }, async () => {
    const { checkpoint, test, answers, samples } = await made(name);
    expect(test.nonFinite).toBe(0);
    expect(samples.count).toBe(rows);
    const session = await InferenceSession.create(join(folder, 'models', modelOf(name), 'model.onnx'));
    const [width = 0] = samples.inputShape;
    const features = new Tensor('float32', samples.inputs as Float32Array, [samples.count, width]);
    const got = Object.values(await session.run({ features }))[0]?.data as Float32Array;
    expect(got).toHaveLength(answers.length);
    // Both read the answers to new rows alike: by the temperature of the run's own validation part.
    expect(largestGap(got, answers)).toBeLessThan(1e-4);
    const { plan } = await loadModel(checkpoint);
    expect(plan.network.layers.map(({ kind }) => kind)).toContain('members');
    expect(plan.network.categories?.includes(3000) ?? false).toBe(name.includes('3,000'));
  });
});

/** Returns the largest difference, relative to the largest answer where that is above 1. */
function largestGap(got: ArrayLike<number>, expected: Float32Array): number {
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
  return expected.reduce((max, value, i) => Math.max(max, Math.abs(value - (got[i] ?? NaN)) / largest), 0);
}

describe('a Worker of all these models, compiled', () => {
  let worker: ReturnType<typeof createWorker>;

  beforeAll(async () => {
    for (const name of Object.keys(tables)) {
      await made(name);
      const path = join(folder, 'models', modelOf(name), 'card.json');
      const card = JSON.parse(await readFile(path, 'utf8')) as object;
      await writeFile(path, JSON.stringify({ ...card, engine: 'compiled' }));
    }
    await buildImage({ models: join(folder, 'models'), out: join(folder, 'image'), unoptimized: true, trim: false });
    const module = (await import(pathToFileURL(join(folder, 'image', 'image.mjs')).href)) as { default: Image };
    worker = createWorker(module.default, { log: false, limits: { batch: 10_000 } });
  }, 240_000);

  it.each(Object.keys(tables))('answers the rows of a table %s as training does', async (name) => {
    const { answers, samples, objective } = await made(name);
    const request = new Request(`http://worker/v1/models/${modelOf(name)}:predict?unknown=ignore`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: await readFile(at(name, '-new.csv')),
    });
    const response = await worker.fetch(request);
    const body = await response.text();
    expect(response.status, body.slice(0, 300)).toBe(200);
    const { predictions } = JSON.parse(body) as { predictions: readonly Prediction[] };
    expect(predictions).toHaveLength(samples.count);
    const classes = classesOf(samples);
    if (classes.length === 0) {
      expect(objective.kind).toBe('mse');
      expect(
        largestGap(
          predictions.map(({ value = NaN }) => value),
          answers,
        ),
      ).toBeLessThan(1e-4);
      return;
    }
    predictions.forEach(({ label = '', probabilities = {} }, i) => {
      const logits = answers.subarray(i * classes.length, (i + 1) * classes.length);
      const powers = logits.map((z) => Math.exp(z));
      const sum = powers.reduce((total, power) => total + power, 0);
      for (const [k, power] of powers.entries()) expect(probabilities[classes[k] ?? '']).toBeCloseTo(power / sum, 4);
      expect(probabilities[label]).toBe(Math.max(...Object.values(probabilities)));
    });
  });

  it('keeps to columns and categories that are known', async () => {
    const ask = async (name: string, row: object) => {
      const body = JSON.stringify({ instances: [row] });
      const headers = { 'content-type': 'application/json' };
      const url = `http://worker/v1/models/${modelOf(name)}:predict`;
      const response = await worker.fetch(new Request(url, { method: 'POST', body, headers }));
      return [response.status, await response.text()] as const;
    };
    expect(await ask('of 3,000 categories', { town: 'nowhere', x: 0.5 })).toEqual([
      422,
      expect.stringMatching(/column \\"town\\": expected one of \d+ categories, got \\"nowhere\\"/),
    ]);
    expect(await ask('of constants beside a number', { same: 7, x: 0.5 })).toEqual([
      422,
      expect.stringContaining('expected a value (none was missing in training), got nothing'),
    ]);
    expect(await ask('of numbers at the ends of float32', { far: 1e39, near: 0, endless: 1, x: 0.5 })).toEqual([
      422,
      expect.stringContaining('expected a number that float32 holds, got 1e+39'),
    ]);
    expect((await ask('of columns that a new file lacks', { x: 0.5 }))[0]).toBe(200);
    expect((await ask('of columns that hold nothing', { x: 0.5 }))[0]).toBe(200);
  });
});

interface Prediction {
  readonly label?: string;
  readonly value?: number;
  readonly probabilities?: Readonly<Record<string, number>>;
}
