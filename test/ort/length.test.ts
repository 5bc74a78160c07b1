/** A run's length is a number of steps, a time limit, or what folds have shown to be best. */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportModel } from '../../exporter/model/export.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { loadModel } from '../../training/checkpoint/index.ts';
import {
  evaluate,
  silentReporter,
  type TrainedRun,
  trainToFolder,
  type TrainOptions,
} from '../../training/run/index.ts';
import { bnEdge } from '../command.ts';

const penguins = 'test/fixtures/penguins.csv';
const settings = { optimizer: 'adam', learningRate: 0.002, schedule: 'cosine', bnMomentum: 0.9, seed: 1 } as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-length-'));
});
afterAll(() => rm(folder, { recursive: true }));

const runOf = (name: string, options: Partial<Omit<TrainOptions, 'config'>>, config: Partial<TrainOptions['config']>) =>
  ({
    data: { path: penguins, label: 'species' },
    hidden: [16],
    backend: 'native',
    threads: 1,
    out: join(folder, name),
    ...options,
    config: { ...settings, ...config },
  }) satisfies TrainOptions;

const recordOf = async ({ checkpoint }: TrainedRun) => (await loadModel(checkpoint)).record;

describe('a run of so many steps', () => {
  it('takes no more, and cuts the last epoch short', async () => {
    const run = await trainToFolder(runOf('steps', { folds: 1 }, { steps: 10, batchSize: 64 }));
    const record = await recordOf(run);
    // There are four mini-batches an epoch.
    expect([record?.steps, run.history.length]).toEqual([10, 3]);
    // The learning rate has decayed to its end: the last steps change almost nothing.
    const last = run.history.at(-1)?.train.loss ?? NaN;
    expect(last).toBeGreaterThan(0);
  });

  it('takes no more, though more epochs are asked for', async () => {
    const run = await trainToFolder(runOf('stopped', { folds: 1 }, { epochs: 4, stopAfter: 5, batchSize: 64 }));
    expect([(await recordOf(run))?.steps, run.history.length]).toEqual([5, 2]);
  });

  it('takes no more in folds whose epochs have more mini-batches', async () => {
    // A fold learns from 279 rows, in 8 mini-batches, the network before the search from 138, in 4.
    const data = { path: penguins, label: 'species', validationShare: 0.5 };
    const { found } = await trainToFolder(runOf('long folds', { data, folds: 10 }, { steps: 20, batchSize: 32 }));
    expect(found).toMatchObject({ steps: 20, epochs: 3 });
    expect(found?.stopAfter).toBeLessThanOrEqual(20);
  });

  it('takes no fewer in folds whose epochs have fewer mini-batches', async () => {
    // A fold learns from 155 rows, in 2 mini-batches, the network before the search from 276, in 4.
    const { found } = await trainToFolder(runOf('short folds', { folds: 2 }, { steps: 20, batchSize: 64 }));
    expect(found).toMatchObject({ steps: 20, epochs: 10 });
  });
});

describe('a run that learns from the validation part as well', () => {
  let run: TrainedRun;
  beforeAll(async () => {
    run = await trainToFolder(runOf('refit', { refit: true }, { epochs: 12, batchSize: 64 }));
  });

  it('learns for as many steps as the others had taken when they were best, by their schedule', async () => {
    const { found } = run;
    expect(found).toMatchObject({ steps: 48, epochs: 12, outOfFold: undefined });
    expect(found?.stopAfter).toBe(4 * (found?.epoch ?? NaN));
    const record = await recordOf(run);
    expect(record?.steps).toBe(found?.stopAfter);
    expect(record?.config).toMatchObject({ steps: 48, stopAfter: found?.stopAfter, keep: 'last' });
    expect(record?.data).toMatchObject({ train: 276, validation: 34, test: 34 });
  });

  it('is evaluated on its test part, and exported, as any other', async () => {
    const { report, samples } = await evaluate({ checkpoint: run.checkpoint });
    expect(samples.count).toBe(34);
    expect(report.metrics).toEqual(run.test.metrics);
    const backend = await nativeBackend({ threads: 1 });
    const models = join(folder, 'models');
    const card = await exportModel({ checkpoint: run.checkpoint, name: 'refit', models }, backend);
    expect(card.labels).toHaveLength(3);
  });

  it('says that the validation part is none to judge it by, and chooses nothing by it', async () => {
    const notes: string[] = [];
    await evaluate({ checkpoint: run.checkpoint, part: 'validation' }, (line) => notes.push(line));
    expect(notes.join('\n')).toMatch(/has learnt from these samples as well \(--refit\)/);
    const table = join(folder, 'shares.csv');
    const rows = Array.from({ length: 1200 }, (_, i) => `${i % 97},${i % 31},${(i * 7919) % 13 < 4 ? 'yes' : 'no'}`);
    await writeFile(table, ['a,b,left', ...rows, ''].join('\n'));
    const data = { path: table, label: 'left', validationShare: 0.4 };
    const { checkpoint } = await trainToFolder(runOf('shares', { data, refit: true }, { epochs: 3 }));
    const backend = await nativeBackend({ threads: 1 });
    const options = { checkpoint, name: 'shares', models: join(folder, 'models') };
    const card = await exportModel(options, backend);
    expect([card.temperature, card.threshold]).toEqual([undefined, undefined]);
    await expect(exportModel({ ...options, reading: { threshold: { rule: 'f1' } } }, backend)).rejects.toThrow(
      /--threshold/,
    );
  });

  it('is the same when it is trained again, or told to go on', async () => {
    const again = await trainToFolder(runOf('refit', { refit: true, resume: true }, { epochs: 12, batchSize: 64 }));
    expect(again.found).toEqual(run.found);
    expect(await readFile(again.checkpoint)).toEqual(await readFile(run.checkpoint));
  });
});

describe('folds', () => {
  it('answer each sample but those of the test part once, and say how far their scores go apart', async () => {
    const { found, history } = await trainToFolder(runOf('folds', { folds: 4 }, { epochs: 12, batchSize: 64 }));
    const { samples, answers, scores, report } = found?.outOfFold ?? {};
    expect(samples?.count).toBe(310);
    expect(new Set(samples?.lines).size).toBe(310);
    expect(answers).toHaveLength(930);
    expect(scores).toHaveLength(4);
    const mean = (scores ?? []).reduce((sum, score) => sum + score / 4, 0);
    // The folds have 77 and 78 samples.
    expect(report?.metrics['accuracy']).toBeCloseTo(mean, 2);
    expect(mean).toBeGreaterThan(0.6);
    expect(Number.isNaN(history.at(-1)?.validation.loss)).toBe(true);
  });

  it('leave answers by which a threshold and intervals are chosen: all rows but the test part are read by them', async () => {
    const numbers = Array.from({ length: 200 }, (_, i) => `${(i * 37) % 200},${i % 3}`);
    const write = async (name: string, labelOf: (x: number) => string | number) => {
      const lines = numbers.map((line) => `${line},${labelOf(Number(line.split(',')[0]))}`);
      await writeFile(join(folder, name), ['x,m,label', ...lines, ''].join('\n'));
      return { path: join(folder, name), label: 'label' };
    };
    const backend = await nativeBackend({ threads: 1 });
    const models = join(folder, 'models');
    const line = await trainToFolder(runOf('line', { data: await write('numbers.csv', (x) => 3 * x) }, { epochs: 4 }));
    const card = await exportModel({ checkpoint: line.checkpoint, name: 'line', models }, backend);
    expect(card.interval).toBe(0.9);
    // There are 180 absolute residuals of networks that had not seen the row.
    const { samples, answers } = line.found?.outOfFold ?? {};
    const values = samples?.task === 'regression' ? samples.values : new Float32Array();
    const residuals = Array.from(values, (value, i) => Math.abs(value - (answers?.[i] ?? NaN))).sort((a, b) => a - b);
    expect(residuals).toHaveLength(180);
    const [told] = card.intervals?.filter(({ level }) => level === 0.9) ?? [];
    expect(told?.halfWidth).toBeCloseTo(residuals[Math.ceil(181 * 0.9) - 1] ?? NaN, 5);
    const evaluated = await evaluate({ checkpoint: line.checkpoint });
    expect(evaluated.interval).toEqual(told);

    const sides = await trainToFolder(
      runOf('sides', { data: await write('sides.csv', (x) => (x > 60 ? 'b' : 'a')) }, { epochs: 4 }),
    );
    const notes: string[] = [];
    const reading = { threshold: { rule: { fp: 1, fn: 5 } } };
    const options = { checkpoint: sides.checkpoint, name: 'sides', models };
    const chosen = await exportModel({ ...options, reading }, backend, (note) => notes.push(note));
    expect(chosen.threshold?.at).toHaveProperty('b');
    expect(notes.join('\n')).toContain('for each missed one on 180 out-of-fold rows');

    // Another network has no out-of-fold answers.
    const moved = join(folder, 'moved');
    await mkdir(moved);
    await copyFile(sides.checkpoint, join(moved, 'checkpoint.safetensors'));
    const other = { ...options, checkpoint: join(moved, 'checkpoint.safetensors') };
    await expect(exportModel({ ...other, reading }, backend)).rejects.toThrow(
      /got 0, .*the network has learnt from its own: --folds 5 in place of --refit/,
    );
    await copyFile(join(folder, 'line', 'out-of-fold.safetensors'), join(moved, 'out-of-fold.safetensors'));
    await expect(exportModel({ ...other, reading }, backend)).rejects.toThrow(/got 0, /);
  });

  it('are the default of a table whose validation part is too small, which is said', async () => {
    const notes: string[] = [];
    const options = runOf('few', { data: { path: penguins, label: 'species', validationShare: 0.05 } }, { epochs: 2 });
    const { found } = await trainToFolder(options, { ...silentReporter, note: (line) => notes.push(line) });
    expect(found?.outOfFold?.scores).toHaveLength(5);
    expect(notes.join('\n')).toContain('17 validation rows are too few to choose an epoch by: 5 folds choose it');
  });

  it('are refused where there are more than half of the samples', async () => {
    await expect(trainToFolder(runOf('many', { folds: 200 }, { epochs: 2 }))).rejects.toThrow(
      '--folds: expected at most 155, half of the 310 samples, got 200',
    );
  });
});

describe('a run with a time limit', () => {
  it('stops by the clock, whatever the number of epochs, and is complete then', { timeout: 60_000 }, async () => {
    const options = runOf('clock', {}, { epochs: 1_000_000, batchSize: 32, timeLimit: 1.5 });
    const run = await trainToFolder(options);
    const { length } = run.history;
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThan(1_000_000);
    expect(run.bestEpoch).toBeGreaterThan(0);
    const again = await trainToFolder({ ...options, resume: true });
    expect(again.history).toHaveLength(length);
  });

  it('that is longer than its steps take is of no effect', { timeout: 60_000 }, async () => {
    const run = await trainToFolder(runOf('long', {}, { epochs: 3, batchSize: 64, timeLimit: 600 }));
    const plain = await trainToFolder(runOf('plain', {}, { epochs: 3, batchSize: 64 }));
    expect(run.history.at(-1)?.validation.loss).toBeCloseTo(plain.history.at(-1)?.validation.loss ?? NaN, 5);
  });
});

describe('the linear model that a run is compared with', () => {
  it.each([
    // The score is the RMSE or the accuracy.
    ['a number', (x: number) => 3 * x + 1, (score: number) => score < 0.05],
    ['a class', (x: number) => (x > 0.5 ? 'high' : 'low'), (score: number) => score > 0.9],
  ])('has learnt to its end to predict %s, however short the run', async (name, labelOf, isGood) => {
    const path = join(folder, `line of ${name}.csv`);
    const rows = Array.from({ length: 400 }, (_, i) => `${i % 3},${i / 400},${labelOf(i / 400)}`);
    await writeFile(path, ['m,x,label', ...rows, ''].join('\n'));
    const { linear } = await trainToFolder(
      runOf(`line of ${name}`, { data: { path, label: 'label' }, hidden: [4] }, { steps: 3 }),
    );
    expect(linear?.score).toSatisfy(isGood);
  });
});

describe('the lines that end a run', () => {
  it('tell that a network knows a rare class better than what is right as often', { timeout: 60_000 }, async () => {
    // 5 % of the labels are rare, and two in five of those with the largest x. Always answering "often" has the best
    // accuracy.
    const path = join(folder, 'rare.csv');
    const rows = Array.from({ length: 2000 }, (_, i) => {
      const x = (i * 797) % 2000;
      return `${x / 2000},${x >= 1750 && (i * 7919) % 5 < 2 ? 'rare' : 'often'}`;
    });
    await writeFile(path, ['x,label', ...rows, ''].join('\n'));
    const args = ['train', path, '--label', 'label', '--steps', '400', '--threads', '1'];
    const { stdout, code } = await bnEdge([...args, '--out', join(folder, 'rare')]);
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^verdict {2}by accuracy no better than always "often"/m);
    const [, own = NaN, ...others] = /but by log loss: ([\d.]+) against ([\d.]+)(?: and ([\d.]+))?/.exec(stdout) ?? [];
    for (const other of others.filter((each) => each)) expect(Number(own)).toBeLessThan(Number(other));
  });

  it(
    'say the epoch, what always answering the same and a linear model come to, and folds',
    { timeout: 120_000 },
    async () => {
      const args = ['train', penguins, '--label', 'species', '--hidden', '8', '--epochs', '12', '--folds', '3'];
      const { stdout, code } = await bnEdge([...args, '--out', join(folder, 'told')]);
      expect(code, stdout).toBe(0);
      expect(stdout).toMatch(/^test {5}accuracy \d+\.\d\d % {3}F1 .*$/m);
      expect(stdout).toMatch(/^beside {3}accuracy \d+\.\d\d % of always "Adelie", \d+\.\d\d % of a linear model$/m);
      expect(stdout).toMatch(
        /^verdict {2}(?:no better than .*a linear model,\s+which would do here|by accuracy no better than .*|better than these)$/m,
      );
      expect(stdout).toMatch(
        /^kept {5}\d+ of 36 steps on all but the test part,\s+for epoch \d+ of 12 is the best by 3 folds$/m,
      );
      expect(stdout).toMatch(/^folds {4}accuracy \d+\.\d\d % ± \d+\.\d\d %,\s+all in one accuracy/m);
      const closing = stdout.slice(stdout.indexOf('\ntest ')).replaceAll(folder, '');
      expect(closing.split('\n').filter((line) => line.length > 80)).toEqual([]);
      const lines = (await readFile(join(folder, 'told', 'out-of-fold.csv'), 'utf8')).trimEnd().split('\n');
      expect(lines).toHaveLength(311);
    },
  );
});
