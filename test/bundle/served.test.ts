/**
 * Each picture and each row gets, from training through export and image to HTTP, the class and the logits that the
 * checkpoint gives it, and together they get the score that `evaluate` prints.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { encode } from 'fast-png';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage } from '../../exporter/edge/build-image.ts';
import { exportModel } from '../../exporter/model/export.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { loadModel } from '../../training/checkpoint/index.ts';
import { type Dataset, type DataSource, encodeNpz, readImageFolder, readNpzArrays } from '../../training/data/index.ts';
import { answersOfCheckpoint, evaluate, trainToFolder } from '../../training/run/index.ts';
import { createWorker, type Image } from '../../worker/create-worker.ts';
import { documented, type Fetch } from './documented.ts';

const backend = await nativeBackend({ threads: 1 });

/** Draws smooth waves with noise, different for each class and number, more or less transparent. */
function drawn(width: number, height: number, kind: number, number: number): Sharp {
  const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
    const [channel, x, y] = [i % 4, (i >> 2) % width, Math.floor(i / 4 / width)];
    if (channel === 3) return 255 - ((x * 3 + number * 20) % 120);
    const noise = Math.imul(i + 7 * number, 2654435761) >>> 27;
    return 100 + 80 * Math.sin((kind === 0 ? x : y) / (2 + (number % 3)) + channel) + noise;
  });
  return sharp(data, { raw: { width, height, channels: 4 } });
}

/** Maps the endings of pictures to their encodings. */
const looks: readonly [ending: string, look: (picture: Sharp, number: number) => Sharp][] = [
  ['png', (picture) => picture.png()],
  ['jpg', (picture) => picture.jpeg({ quality: 80 })],
  ['palette.png', (picture) => picture.png({ palette: true, colours: 30 })],
  ['turned.jpeg', (picture, number) => picture.withMetadata({ orientation: (number % 8) + 1 }).jpeg({ quality: 95 })],
  ['deep.png', (picture) => picture.toColourspace('rgb16').png()],
  ['progressive.jpg', (picture) => picture.jpeg({ progressive: true, chromaSubsampling: '4:4:4' })],
];

const kinds = ['across', 'down'] as const;
const COUNT = 18;

let folder: string;
let fetchDocumented: Fetch;
const checkpoints = new Map<string, string>();
const checkpointOf = (name: string) => checkpoints.get(name) ?? '';
const at = (...path: readonly string[]) => join(folder, ...path);

async function makeFolder(name: string, change: (picture: Sharp) => Sharp): Promise<void> {
  for (const [kind, label] of kinds.entries()) {
    await mkdir(at(name, label), { recursive: true });
    for (let number = 0; number < COUNT; number++) {
      const [ending, look] = looks[number % looks.length] ?? ['png', (picture: Sharp) => picture.png()];
      const picture = change(drawn(30 + (number % 5) * 9, 24 + (number % 4) * 11, kind, number));
      await writeFile(at(name, label, `${number}.${ending}`), await look(picture, number).toBuffer());
    }
  }
}

const greyed = (picture: Sharp) => picture.removeAlpha().greyscale().toColourspace('b-w');
const size = { rows: 14, columns: 18 };
const tile = { width: 18, height: 14, channels: 1 } as const;
let tiles: readonly Uint8Array[];

/** The training data: a grey folder, coloured ones, drawings, and numbers from 0 to 1 with the channel last. */
const models: Readonly<Record<string, DataSource>> = {
  grey: { path: 'grey', size },
  colour: { path: 'colour', size, fit: 'cover' },
  letters: { path: 'colour', size, channels: 1, fit: 'contain', background: '#204080' },
  drawings: { path: 'grey', pictures: 'drawing' },
  array: { path: 'tiles.npz' },
};

/** Rows of a table and of an array; the labels are texts, and numbers for `price`. */
const tables: Readonly<Record<string, DataSource>> = {
  table: { path: 'churn.csv', label: 'plan', kinds: { churned: 'ignored', price: 'ignored' } },
  binary: { path: 'churn.csv', label: 'churned', kinds: { plan: 'ignored', price: 'ignored' } },
  price: { path: 'churn.csv', label: 'price', kinds: { plan: 'ignored', churned: 'ignored' } },
  features: { path: 'rows.npz' },
};

const ROWS = 240;

/** Generates categories, numbers and dates, each with gaps; the first two decide most of the label. */
function churn(): string {
  const lines = Array.from({ length: ROWS }, (_, i) => {
    const noise = (Math.imul(i + 3, 2654435761) >>> 8) % 100;
    const city = i % 11 === 0 ? '' : (['Bern', 'Oslo', 'Rome', 'Wien'][noise % 4] ?? '');
    const seats = i % 7 === 0 ? '' : `${1 + ((i * 5) % 23)}`;
    const since = i % 13 === 0 ? '' : `20${18 + (i % 6)}-0${1 + (i % 9)}-${10 + (noise % 18)}`;
    const size = Number(seats) + (city === 'Oslo' ? 9 : 0) + (noise % 5);
    const plan = ['Free', 'Pro', 'Team'][size < 9 ? 0 : size < 18 ? 1 : 2] ?? '';
    return [
      city,
      seats,
      since,
      i % 2 ? 'yes' : 'no',
      plan,
      size > 14 ? 'left' : 'stayed',
      (size * 100 + noise).toFixed(1),
    ].join();
  });
  return ['city,seats,since,agreed,plan,churned,price', ...lines, ''].join('\n');
}

function features(): Uint8Array {
  const x = Float32Array.from({ length: ROWS * 5 }, (_, i) => Math.sin(i * i) * 10 ** (i % 5));
  const y = Int32Array.from({ length: ROWS }, (_, i) => Number((x[i * 5] ?? 0) + (x[i * 5 + 1] ?? 0) / 10 > 0.3));
  return encodeNpz({ X: { shape: [ROWS, 5], data: x }, y: { shape: [ROWS], data: y } });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-served-'));
  await makeFolder('grey', greyed);
  await makeFolder('colour', (picture) => picture);
  const files = Array.from({ length: 2 * COUNT }, (_, i) =>
    greyed(drawn(18, 14, i % 2, i))
      .raw()
      .toBuffer(),
  );
  tiles = await Promise.all(files);
  const x = Float32Array.from(
    tiles.flatMap((bytes) => [...bytes]),
    (byte) => byte / 255,
  );
  const y = Int32Array.from(tiles, (_, i) => i % 2);
  const arrays = { x: { shape: [tiles.length, 14, 18, 1], data: x }, y: { shape: [tiles.length], data: y } };
  await writeFile(at('tiles.npz'), encodeNpz(arrays));
  await writeFile(at('churn.csv'), churn());
  await writeFile(at('rows.npz'), features());
  for (const [name, { path = '', ...source }] of Object.entries({ ...models, ...tables })) {
    const { checkpoint } = await trainToFolder({
      data: { path: at(path), ...source },
      config: {
        optimizer: 'adam',
        learningRate: 0.01,
        schedule: 'cosine',
        bnMomentum: 0.9,
        seed: 1,
        epochs: 2,
        batchSize: 8,
      },
      backend: 'native',
      threads: 1,
      out: at('runs', name),
    });
    checkpoints.set(name, checkpoint);
    await exportModel({ checkpoint, name, models: at('models') }, backend);
  }
  await buildImage({ models: at('models'), out: at('image'), unoptimized: true, trim: false });
  const { default: image } = (await import(pathToFileURL(at('image', 'image.mjs')).href)) as { default: Image };
  const worker = createWorker(image, { log: false, docs: true });
  fetchDocumented = documented((request) => worker.fetch(request));
});
afterAll(() => rm(folder, { recursive: true }));

/** Asks for a picture. @returns the class, and the probabilities of the classes in their order */
async function served(model: string, file: Uint8Array): Promise<{ label: string; probabilities: number[] }> {
  const request = new Request(`http://worker/v2/models/${model}/classify`, { method: 'POST', body: file });
  const response = await fetchDocumented(request);
  expect(response.status).toBe(200);
  const { predictions } = (await response.json()) as {
    predictions: [{ label: string; top: { index: number; probability: number }[] }];
  };
  const [{ label, top }] = predictions;
  return { label, probabilities: top.toSorted((a, b) => a.index - b.index).map(({ probability }) => probability) };
}

/** Expects each file to get the class of the larger logit, and ln(p₁/p₀) to equal the difference of its logits. */
async function expectServed(model: string, samples: Dataset, files: readonly Uint8Array[]): Promise<void> {
  const { classes } = await loadModel(checkpointOf(model));
  const logits = await answersOfCheckpoint(checkpointOf(model), samples, backend);
  expect(files).toHaveLength(samples.count);
  for (const [i, file] of files.entries()) {
    const [z0 = NaN, z1 = NaN] = logits.subarray(2 * i, 2 * i + 2);
    const { label, probabilities } = await served(model, file);
    const [p0 = NaN, p1 = NaN] = probabilities;
    expect(label).toBe(classes[z1 > z0 ? 1 : 0]);
    expect(Math.abs(Math.log(p1 / p0) - (z1 - z0))).toBeLessThan(1e-4);
  }
}

interface Rows {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Writes rows as JSON, with null for a gap. As bytes, a gap is NaN. */
function asJson({ inputs, inputShape, count }: Dataset): Rows {
  const data = Array.from(inputs, (value) => (Number.isNaN(value) ? null : value));
  const body = JSON.stringify({
    inputs: [{ name: 'features', datatype: 'FP32', shape: [count, ...inputShape], data }],
  });
  return { body, headers: { 'content-type': 'application/json' } };
}

const asBytes = ({ inputs }: Dataset): Rows => ({
  body: new Uint8Array(Float32Array.from(inputs).buffer),
  headers: { 'inference-header-content-length': '0', 'content-type': 'application/octet-stream' },
});

async function post(path: string, rows: Rows): Promise<Response> {
  const response = await fetchDocumented(new Request(`http://worker/v2/models/${path}`, { method: 'POST', ...rows }));
  expect(response.status).toBe(200);
  return response;
}

describe('all rows sent over HTTP get the answers and the score of evaluate', () => {
  it.each(Object.keys(tables))('%s', async (model) => {
    const { path = '', ...source } = tables[model] ?? {};
    const checkpoint = checkpointOf(model);
    const { samples, answers, report } = await evaluate({
      checkpoint,
      data: { path: at(path), ...source },
      part: 'all',
    });
    expect(samples.count).toBe(ROWS);
    const { classes } = await loadModel(checkpoint);
    for (const rows of [asJson(samples), asBytes(samples)]) {
      const logits = await answersOf(model, rows);
      // A single logit is served as the second of two, beside 0.
      const own = answers.length === logits.length ? answers : Array.from(answers).flatMap((z) => [0, z]);
      expect(logits).toHaveLength(own.length);
      for (const [i, value] of own.entries())
        expect(Math.abs((logits[i] ?? NaN) - value) / Math.max(1, Math.abs(value))).toBeLessThan(1e-4);
      if (!('labels' in samples)) continue;
      const labels = await labelsOf(model, rows);
      const right = labels.filter((label, i) => label === classes[Number(samples.labels[i])]).length;
      expect(right / ROWS).toBeCloseTo(report.metrics['accuracy'] ?? NaN, 12);
      expect(right / ROWS).toBeGreaterThan(0.6);
    }
  });
});

async function answersOf(model: string, { body, headers }: Rows): Promise<readonly number[]> {
  const response = await post(`${model}/infer`, { body, headers });
  if (typeof body === 'string')
    return ((await response.json()) as { outputs: [{ data: readonly number[] }] }).outputs[0].data;
  const length = Number(response.headers.get('inference-header-content-length'));
  return [...new Float32Array((await response.arrayBuffer()).slice(length))];
}

async function labelsOf(model: string, rows: Rows): Promise<readonly string[]> {
  const response = await post(`${model}/classify`, rows);
  return ((await response.json()) as { predictions: { label: string }[] }).predictions.map(({ label }) => label);
}

describe('a training picture sent over HTTP gets the class and the logits of the checkpoint', () => {
  it.each(Object.keys(models).filter((name) => name !== 'array'))('%s', async (name) => {
    const { path = '' } = models[name] ?? {};
    const { picture } = await loadModel(checkpointOf(name));
    const { parts } = await readImageFolder(at(path), { picture });
    const paths = await Promise.all(
      kinds.map(async (label) => (await readdir(at(path, label))).sort().map((file) => at(path, label, file))),
    );
    await expectServed(name, parts.train, await Promise.all(paths.flat().map((file) => readFile(file))));
  });

  it('array', async () => {
    const { parts, picture } = await readNpzArrays(at('tiles.npz'), {});
    expect(picture?.values).toEqual([0, 1]);
    await expectServed(
      'array',
      parts.train,
      tiles.map((data) => encode({ ...tile, data })),
    );
  });
});
