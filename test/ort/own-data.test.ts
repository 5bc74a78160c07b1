/** A user's own files become an exported model that answers raw rows and pixels as the training graph does. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportedCard } from '../../exporter/model/card.ts';
import { exportModel } from '../../exporter/model/export.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { evaluate, type TrainedRun, trainToFolder, type TrainOptions } from '../../training/run/index.ts';
import { type Column, createRandom, type DataSource } from '../../training/data/index.ts';
import { loadModel, saveModel } from '../../training/checkpoint/model.ts';
import { formatReport } from '../../training/objective/index.ts';
import { createEvaluator } from '../../training/trainer/index.ts';
import { expectAllClose } from '../reference/close.ts';

const penguins = 'test/fixtures/penguins.csv';
const backend = await nativeBackend({ threads: 1 });
const settings = { optimizer: 'adam', learningRate: 0.01, schedule: 'cosine', bnMomentum: 0.9, seed: 1 } as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Exported {
  readonly trained: TrainedRun;
  readonly checkpoint: string;
  readonly card: ExportedCard;
  /** Runs the exported file. @returns its answer to each sample, row-major */
  readonly ask: (x: Float32Array, count: number) => Promise<Float32Array>;
}

async function trainAndExport(name: string, data: DataSource, options: Partial<TrainOptions> = {}): Promise<Exported> {
  const config = { ...settings, epochs: 5, batchSize: 32, ...options.config };
  const run = {
    hidden: [16],
    ...options,
    config,
    data,
    out: join(folder, 'runs', name),
    backend: 'native',
    threads: 1,
  } as const;
  const trained = await trainToFolder(run);
  const { checkpoint } = trained;
  const models = join(folder, 'models');
  const card = await exportModel({ checkpoint, name, models, statistics: 'running' }, backend);
  const session = await InferenceSession.create(join(models, name, 'model.onnx'));
  const [input, output] = [card.inputs[0], card.outputs[0]];
  const ask = async (x: Float32Array, count: number) => {
    const shape = [count, ...(input?.shape?.slice(1) ?? [])];
    const results = await session.run({ [input?.name ?? '']: new Tensor('float32', x, shape) });
    return results[output?.name ?? '']?.data as Float32Array;
  };
  return { trained, checkpoint, card, ask };
}

/** Reads the cells of a simple file, by column. */
async function readCells(path: string): Promise<readonly ReadonlyMap<string, string>[]> {
  const [head = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const names = head.split(',');
  return lines.map((line) => new Map(line.split(',').map((cell, i) => [names[i] ?? '', cell])));
}

/** Prepares rows as the card tells a client to: a number as it is, a category as its index, a missing value as NaN. */
function rawRows(card: ExportedCard, rows: readonly ReadonlyMap<string, string>[]): Float32Array {
  const columns = card.inputs[0]?.columns ?? [];
  const number = (column: Column, cell: string) => {
    if (cell === 'NA') return NaN;
    return column.kind === 'categorical' ? column.categories.indexOf(cell) : Number(cell);
  };
  return Float32Array.from(rows.flatMap((row) => columns.map((column) => number(column, row.get(column.name) ?? ''))));
}

/** Runs the training graph in inference mode. */
async function trainingGraph(checkpoint: string, card: ExportedCard, inputs: Float32Array): Promise<Float32Array> {
  const { plan, tensors } = await loadModel(checkpoint);
  const columns = card.inputs[0]?.columns ?? [];
  const evaluator = await createEvaluator(backend, plan);
  const { inputShape } = plan.network;
  const output = await evaluator.logits(tensors, { inputs, inputShape, count: inputs.length / columns.length });
  await evaluator.release();
  return output;
}

/** Writes the table without the rows that lack a cell of this column. */
async function withoutMissing(column: string): Promise<string> {
  const rows = (await readCells(penguins)).filter((row) => row.get(column) !== 'NA');
  const [first] = rows;
  const path = join(folder, `${column}.csv`);
  const lines = [[...(first?.keys() ?? [])], ...rows.map((row) => [...row.values()])];
  await writeFile(path, lines.map((cells) => `${cells.join(',')}\n`).join(''));
  return path;
}

describe('a table with classes', () => {
  let exported: Exported;
  beforeAll(async () => {
    exported = await trainAndExport('species', { path: penguins, label: 'species' });
  });

  it('exports a model that takes its raw rows, gaps and categories included', async () => {
    const { card, checkpoint, ask } = exported;
    const cells = await readCells(penguins);
    const rows = rawRows(card, cells);
    expect(rows.filter((value) => Number.isNaN(value))).toHaveLength(19);
    const got = await ask(rows, cells.length);
    expectAllClose('answers', got, await trainingGraph(checkpoint, card, rows), { atol: 1e-5 });
    const right = cells.filter((row, i) => {
      const logits = [...got.subarray(i * 3, i * 3 + 3)];
      return card.labels?.[logits.indexOf(Math.max(...logits))] === row.get('species');
    });
    expect(right.length / cells.length).toBeGreaterThan(0.95);
  });

  it('is described by its card: columns, categories, fills, labels, metrics, and how it was trained', () => {
    const { card } = exported;
    const median = { missing: 'median', indicator: true };
    const seen = (min: number, max: number, mean: number) => ({
      range: [min, max],
      typical: expect.closeTo(mean, 0) as number,
    });
    expect(card.labels).toEqual(['Adelie', 'Chinstrap', 'Gentoo']);
    expect(card.inputs).toMatchObject([{ name: 'features', shape: [-1, 6] }]);
    expect(card.inputs[0]?.columns).toEqual([
      {
        kind: 'categorical',
        name: 'island',
        categories: ['Biscoe', 'Dream', 'Torgersen'],
        typical: 'Biscoe',
        fill: null,
      },
      {
        kind: 'numeric',
        name: 'bill_length_mm',
        fill: expect.closeTo(44.5, 1) as number,
        ...median,
        ...seen(32.1, 59.6, 43.9),
      },
      {
        kind: 'numeric',
        name: 'bill_depth_mm',
        fill: expect.closeTo(17.3, 1) as number,
        ...median,
        ...seen(13.1, 21.5, 17.2),
      },
      { kind: 'numeric', name: 'flipper_length_mm', fill: 197, ...median, ...seen(174, 231, 200.8) },
      { kind: 'numeric', name: 'body_mass_g', fill: 4050, ...median, ...seen(2700, 6050, 4188.7) },
      {
        kind: 'categorical',
        name: 'sex',
        categories: ['female', 'male'],
        typical: 'male',
        fill: 2,
        missing: 'category',
      },
    ]);
    expect(card.outputs).toEqual([{ name: 'logits', datatype: 'FP32', shape: [-1, 3] }]);
    expect(Object.keys(card.metrics)).toEqual(['accuracy', 'F1', 'AUC']);
    expect(card.verification.samples).toBe(34);
    expect(card.output).toEqual({ name: 'logits', kind: 'logits' });
    expect(card.training).toMatchObject({
      data: { name: 'penguins', train: 276, validation: 34, test: 34 },
      objective: 'multiclass',
      epochs: 5,
      batchSize: 32,
      seed: 1,
    });
  });

  it('is told beside what always the same answer comes to', () => {
    const { trained, card } = exported;
    expect(trained.baseline.score).toBe(card.scores?.baseline);
    expect(formatReport(trained.objective, trained.test, trained.baseline)).toMatch(
      /^accuracy [\d.]+ % \(always "Adelie": 44\.12 %\) {3}F1 /,
    );
  });

  it('keeps columns and classes in the checkpoint', async () => {
    const { columns, classes } = await loadModel(exported.checkpoint);
    expect(columns).toEqual(exported.card.inputs[0]?.columns);
    expect(classes).toEqual(exported.card.labels);
  });

  it.each([
    ['other columns', { kinds: { sex: 'ignored' } }, /^data: expected the inputs of the checkpoint, \[6\], got \[5\]$/],
    [
      'other classes',
      { label: 'island' },
      /^data: expected the classes of the checkpoint, Adelie, Chinstrap, Gentoo, got /,
    ],
  ] as const)('is not exported with %s', async (_, data, message) => {
    const models = join(folder, 'refused');
    const options = { checkpoint: exported.checkpoint, name: 'refused', models, statistics: 'running', data } as const;
    await expect(exportModel(options, backend)).rejects.toThrow(message);
    await expect(readdir(models)).rejects.toThrow('ENOENT');
  });
});

describe('a table with numbers to predict', () => {
  const read = { label: 'body_mass_g' };

  it('exports a model that answers in their unit', async () => {
    const path = await withoutMissing('body_mass_g');
    const { card, checkpoint, ask } = await trainAndExport(
      'mass',
      { path, ...read },
      { config: { ...settings, epochs: 20 } },
    );
    const cells = await readCells(path);
    const rows = rawRows(card, cells);
    const got = await ask(rows, cells.length);
    expectAllClose('answers', got, await trainingGraph(checkpoint, card, rows), { rtol: 1e-6 });
    const errors = cells.map((row, i) => ((got[i] ?? NaN) - Number(row.get('body_mass_g'))) ** 2);
    expect(Math.sqrt(errors.reduce((sum, error) => sum + error, 0) / errors.length)).toBeLessThan(400);
    expect(card.outputs).toEqual([{ name: 'prediction', datatype: 'FP32', shape: [-1, 1] }]);
    expect(card).not.toHaveProperty('labels');
    expect(card.scores).toMatchObject({ name: 'RMSE', better: 'lower' });
    expect(card.scores?.test.running).toBeCloseTo(card.metrics['RMSE'] ?? NaN, 6);
    expect(card.scores?.baseline).toBeGreaterThan(2 * (card.scores?.test.running ?? NaN));
  });

  it('trains alike in any unit', async () => {
    const path = await withoutMissing('body_mass_g');
    const tons = join(folder, 'tons.csv');
    const inTons = (line: string) =>
      line.replace(/,(\d{4}),(\w+)$/, (_, grams: string, sex: string) => `,${Number(grams) / 1e6},${sex}`);
    await writeFile(tons, (await readFile(path, 'utf8')).split('\n').map(inTons).join('\n'));
    const [a, b] = await Promise.all(
      [path, tons].map(async (file, i) => {
        const { checkpoint } = await trainAndExport(`unit${i}`, { path: file, ...read });
        return (await loadModel(checkpoint)).record?.history.at(-1)?.validation;
      }),
    );
    expect(b?.loss).toBeCloseTo(a?.loss ?? NaN, 3);
    expect((b?.score ?? NaN) * 1e6).toBeCloseTo(a?.score ?? NaN, 0);
  });
});

describe('data that are called otherwise by now', () => {
  it('are gone on with, and remembered', async () => {
    const [before, after] = [join(folder, 'before.csv'), join(folder, 'after.csv')];
    const out = join(folder, 'runs', 'renamed');
    const config = { ...settings, epochs: 1, batchSize: 32 };
    const on = async (path: string) => {
      const data = { path, label: 'species', imputeOthers: 'median' };
      const options = { config, data, out, resume: true, arguments: ['--data', path], backend: 'native' } as const;
      const { tensors } = await loadModel((await trainToFolder(options)).checkpoint);
      return tensors;
    };
    await copyFile(penguins, before);
    const trained = await on(before);
    await rename(before, after);
    expect(await on(after)).toEqual(trained);
    const { arguments: recorded } = JSON.parse(await readFile(join(out, 'config.json'), 'utf8')) as {
      arguments: unknown;
    };
    expect(recorded).toEqual(['--data', after]);
  });
});

describe('a table that a model meets later', () => {
  const random = createRandom(3);
  const write = async (name: string, rows: readonly (readonly (string | number)[])[]) => {
    const path = join(folder, name);
    await writeFile(path, rows.map((row) => `${row.join(',')}\n`).join(''));
    return path;
  };

  it('is scored alike, whichever classes and categories it has, row by row', async () => {
    const kinds = ['crane', 'heron', 'stork'];
    const rows = Array.from({ length: 240 }, (_, i) => {
      const kind = i % 3;
      return [
        (kind + random.normal() / 4).toFixed(4),
        ['north', 'east', 'south'][(i + kind) % 3] ?? '',
        kinds[kind] ?? '',
      ];
    });
    const head = ['a', 'island', 'kind'];
    const path = await write('birds.csv', [head, ...rows]);
    const { trained } = await trainAndExport('birds', { path, label: 'kind' }, { config: { ...settings, epochs: 20 } });
    const some = rows.filter(([, island, kind]) => island !== 'east' && kind !== 'crane');
    const strange = [
      [0, 'west', 'heron'],
      [1, 'north', 'gull'],
    ];
    const later = await write('later.csv', [
      ['kind', 'a', 'island'],
      ...[...some, ...strange].map(([a, island, kind]) => [kind ?? '', a ?? '', island ?? '']),
    ]);
    const whole = await evaluate({ checkpoint: trained.checkpoint, data: { path }, part: 'all' });
    const chosen = await evaluate({ checkpoint: trained.checkpoint, data: { path: later } });
    expect(chosen.samples.count).toBe(some.length);
    expect(chosen.unknown).toEqual([
      { column: 'island', value: 'west', rows: 1 },
      { column: 'kind', value: 'gull', rows: 1 },
    ]);
    const lines = new Map(
      [...(whole.samples.lines ?? [])].map((line, i) => [line, [...whole.answers.subarray(3 * i, 3 * i + 3)]]),
    );
    const at = rows.flatMap((row, i) => (some.includes(row) ? [i + 2] : []));
    expect([...chosen.answers]).toEqual(at.flatMap((line) => lines.get(line) ?? []));
  });

  it('may be of a later year', async () => {
    const row = (i: number) => {
      const date = new Date(Date.UTC(2023, 0, 1 + 3 * i));
      const isSummer = date.getUTCMonth() >= 3 && date.getUTCMonth() < 9;
      return [date.toISOString().slice(0, 10), random.normal().toFixed(3), isSummer ? 'summer' : 'winter'];
    };
    const rows = Array.from({ length: 365 }, (_, i) => row(i));
    const path = await write('days.csv', [['day', 'noise', 'label'], ...rows.slice(0, 243)]);
    const later = await write('days-later.csv', [['day', 'noise', 'label'], ...rows.slice(244)]);
    const { trained } = await trainAndExport('days', { path, label: 'label' }, { config: { ...settings, epochs: 20 } });
    const { report } = await evaluate({ checkpoint: trained.checkpoint, data: { path: later } });
    expect(report.metrics['accuracy']).toBeGreaterThan(0.9);
  });
});

describe('a checkpoint from before networks knew of gaps', () => {
  it('loads, and answers a gap as if what its columns say stood there', async () => {
    const path = await withoutMissing('sex');
    const { trained } = await trainAndExport('former', { path, label: 'species' });
    const model = await loadModel(trained.checkpoint);
    const fills = [0, 44.5, 17, 197, 4050, 1];
    const columns = (model.columns ?? []).map((column, i) => ({ ...column, fill: fills[i] ?? null }));
    expect(model.plan.network).not.toHaveProperty('fills');
    const former = join(folder, 'former.safetensors');
    await saveModel(former, { ...model, columns });
    const { plan, tensors } = await loadModel(former);
    expect(plan.network).toMatchObject({ fills });
    const rows = [[2, 39.1, NaN, 181, 3750, NaN], new Array<number>(6).fill(NaN)];
    const filled = rows.map((row) => row.map((value, i) => (Number.isNaN(value) ? (fills[i] ?? NaN) : value)));
    const evaluator = await createEvaluator(backend, plan);
    const logits = (of: readonly (readonly number[])[]) =>
      evaluator.logits(tensors, { inputs: Float32Array.from(of.flat()), inputShape: [6], count: 2 });
    expect(await logits(rows)).toEqual(await logits(filled));
    await evaluator.release();
    const models = join(folder, 'models');
    const card = await exportModel({ checkpoint: former, name: 'former', models }, backend);
    expect(card.inputs[0]?.columns?.map(({ fill }) => fill)).toEqual(fills);
  });
});

describe('data that cannot be trained on', () => {
  const filled = { path: penguins, label: 'species', imputeOthers: 'mean' };

  it.each<[string, DataSource, Partial<TrainOptions>, string]>([
    [
      'a missing label',
      { ...filled, label: 'sex' },
      {},
      'line 5, column "sex": expected a value to predict, got none (11 of 344 rows have none); --drop-missing-labels leaves them out',
    ],
    [
      'a word among numbers',
      { ...filled, kinds: { island: 'numeric' } },
      {},
      'line 2, column "island": expected a number, got "Torgersen"',
    ],
    ['an unknown label', { ...filled, label: 'kind' }, {}, 'expected a column "kind", got "species", "island", '],
    ['no label', { path: penguins }, {}, 'expected the name of the label to predict, got none'],
    [
      'a network for other inputs',
      filled,
      { hidden: undefined, network: 'mnist-mlp' },
      'mnist-mlp: expected a network for inputs of shape [6], as the data have, got [1, 28, 28]',
    ],
    [
      'an objective for numbers',
      filled,
      { objective: { objective: 'mse' } },
      'objective mse: expected data for regression, got 3 classes',
    ],
    [
      'a batch of more samples than there are',
      filled,
      { config: { ...settings, batchSize: 500 } },
      '--batch-size: expected at most 276, the training samples, got 500',
    ],
  ])('leave nothing behind: %s', async (_, data, options, message) => {
    await expect(trainAndExport('refused-run', data, options)).rejects.toThrow(message);
    await expect(readdir(join(folder, 'runs', 'refused-run'))).rejects.toThrow('ENOENT');
  });
});

describe('a binary objective', () => {
  it('exports two logits, of which the first is 0', async () => {
    const path = await withoutMissing('sex');
    const { card, checkpoint, ask } = await trainAndExport(
      'sex',
      { path, label: 'sex' },
      { objective: { objective: 'binary' } },
    );
    const cells = await readCells(path);
    const rows = rawRows(card, cells);
    const got = await ask(rows, cells.length);
    const z = await trainingGraph(checkpoint, card, rows);
    expectAllClose(
      'answers',
      got,
      Array.from(z).flatMap((logit) => [0, logit]),
      { atol: 1e-5 },
    );
    expect(card.labels).toEqual(['female', 'male']);
    expect(card.outputs[0]?.shape).toEqual([-1, 2]);
    expect(card.scores?.test.running).toBeGreaterThan(0.6);
  });
});

describe('a folder of images', () => {
  const [rows, columns] = [9, 10];

  /** Draws noise that is brighter on the left or on the right. */
  async function makeImages(): Promise<string> {
    const path = join(folder, 'images');
    const random = createRandom(1);
    for (let i = 0; i < 80; i++) {
      const side = i % 2 === 0 ? 'left' : 'right';
      const pixels = Uint8Array.from({ length: rows * columns * 3 }, (_, p) => {
        const column = Math.floor(p / 3) % columns;
        return 60 + 60 * random.uniform() + (column < 5 === (side === 'left') ? 100 : 0);
      });
      const file = join(path, side, `${i}.png`);
      await mkdir(dirname(file), { recursive: true });
      await sharp(pixels, { raw: { width: columns, height: rows, channels: 3 } }).toFile(file);
    }
    return path;
  }

  it('trains a small convolutional network and exports a model that takes raw pixels', async () => {
    const path = await makeImages();
    const { card, ask } = await trainAndExport('images', { path }, { hidden: undefined });
    expect(card.network.layers[0]).toMatchObject({ kind: 'conv2d' });
    const picture = { size: { rows, columns }, channels: 3, fit: 'stretch' };
    expect(card.inputs).toMatchObject([{ name: 'pixels', datatype: 'FP32', shape: [-1, 3, rows, columns], picture }]);
    expect(card.labels).toEqual(['left', 'right']);
    const size = rows * columns;
    const bright = (right: boolean) =>
      Float32Array.from({ length: 3 * size }, (_, i) => ((i % size) % columns < 5 === right ? 90 : 190));
    const logits = await ask(Float32Array.of(...bright(false), ...bright(true)), 2);
    expect((logits[0] ?? NaN) - (logits[1] ?? NaN)).toBeGreaterThan(1);
    expect((logits[3] ?? NaN) - (logits[2] ?? NaN)).toBeGreaterThan(1);
  });
});

describe('the epoch that is kept', () => {
  const rows = (count: number) => {
    const random = createRandom(3);
    const lines = Array.from(
      { length: count },
      (_, i) => `${random.normal() + (i % 2)},${random.normal()},${i % 2 ? 'yes' : 'no'}`,
    );
    return `a,b,label\n${lines.join('\n')}\n`;
  };
  let path: string;
  beforeAll(async () => {
    path = join(folder, 'overlap.csv');
    await writeFile(path, rows(120));
  });

  const run = (name: string, data: Partial<DataSource>, config: Partial<TrainOptions['config']> = {}) =>
    trainToFolder({
      hidden: [64, 64],
      config: { ...settings, learningRate: 0.02, epochs: 40, batchSize: 16, ...config },
      data: { path, label: 'label', ...data },
      out: join(folder, 'runs', name),
      backend: 'native',
      threads: 1,
      // The validation part decides the length, although it has few rows.
      folds: 1,
    });

  it('is the best of the validation part, not the last', async () => {
    const { bestEpoch, checkpoint, history } = await run('overlap', {});
    expect(bestEpoch).toBeLessThan(history.length);
    const [kept, best] = await Promise.all(
      [checkpoint, checkpoint.replace('checkpoint.', 'best.')].map((file) => loadModel(file)),
    );
    expect(kept?.tensors).toEqual(best?.tensors);
    const last = await run('overlap-last', {}, { keep: 'last' });
    expect((await loadModel(last.checkpoint)).tensors).not.toEqual(kept?.tensors);
  });

  it('is the last where nothing is held back, and nothing is measured then', async () => {
    const { bestEpoch, test, checkpoint } = await run('all', { validationShare: 0, testShare: 0 }, { epochs: 2 });
    expect([bestEpoch, test]).toEqual([0, { metrics: {}, confusion: undefined, nonFinite: 0 }]);
    expect((await loadModel(checkpoint)).record?.history).toHaveLength(2);
    const options = { epochs: 3 };
    await expect(run('all', { validationShare: 0, testShare: 0 }, options)).resolves.toBeDefined();
  });

  it.each([
    [{ earlyStopping: 2 }, '--early-stopping'],
    [{ keep: 'best' }, '--keep best'],
  ] as const)('%j is refused without a validation part', async (config, flag) => {
    await expect(run('none', { validationShare: 0 }, config)).rejects.toThrow(
      `${flag}: expected validation samples to go by (--validation-share), got none`,
    );
  });
});
