/**
 * A table that is too large for memory gets the same answers, as it is read, as a table in memory; an interrupted
 * command resumes.
 */
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { growPredictions, writePredictions } from '../../exporter/command/predictions.ts';
import { type AnswerSink, evaluate, trainToFolder } from '../../training/run/index.ts';

const ROWS = 20_000;

let folder: string;
let checkpoint: string;
let path: string;
let unlabelled: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  const line = (i: number) => `${['red', 'green', 'blue'][i % 3]},${(i * 7) % 11},${(i * 13) % 17 > 8 ? 'yes' : 'no'}`;
  const lines = Array.from({ length: ROWS }, (_, i) => line(i));
  const train = join(folder, 'train.csv');
  [path, unlabelled] = [join(folder, 'all.csv'), join(folder, 'unlabelled.csv')];
  await writeFile(train, ['colour,size,answer', ...lines.slice(0, 600)].join('\n'));
  await writeFile(path, ['colour,size,answer', ...lines].join('\n'));
  await writeFile(
    unlabelled,
    ['colour,size', ...lines.map((each) => each.split(',').slice(0, 2).join(','))].join('\n'),
  );
  const config = { optimizer: 'adam', learningRate: 0.01, schedule: 'cosine', bnMomentum: 0.9, seed: 1 } as const;
  ({ checkpoint } = await trainToFolder({
    data: { path: train, label: 'answer' },
    config: { ...config, epochs: 1, batchSize: 32 },
    hidden: [8],
    out: join(folder, 'run'),
    backend: 'native',
    threads: 1,
  }));
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

/** Returns the file that is written in one go, from samples in memory. */
async function heldFile(data: string): Promise<string> {
  const file = join(folder, 'held.csv');
  const { samples, answers, objective } = await evaluate({ checkpoint, data: { path: data }, needsLabel: false });
  await writePredictions(file, samples, answers, objective);
  return readFile(file, 'utf8');
}

/** @param stopAfter stops after so many blocks */
async function stream(file: string, data: string, stopAfter = Infinity) {
  const predictions = await growPredictions(file, ['model', data]);
  const stop = new AbortController();
  let blocks = 0;
  const sink: AnswerSink = {
    fromBytes: 0,
    done: predictions.done,
    write: async (...block) => {
      await predictions.append(...block);
      if (++blocks >= stopAfter) stop.abort('SIGINT');
    },
    progress: () => undefined,
    signal: stop.signal,
    onInterrupted: () => 'interrupted',
  };
  try {
    const evaluated = await evaluate({ checkpoint, data: { path: data }, needsLabel: false, sink });
    await predictions.finish();
    return { ...evaluated, before: predictions.done };
  } finally {
    await predictions.close();
  }
}

describe('the predictions of a table that is not held', () => {
  it.each(['labelled', 'unlabelled'])('are those of the same table that is held (%s)', async (which) => {
    const data = which === 'labelled' ? path : unlabelled;
    const file = join(folder, `${which}.out.csv`);
    const { taken, isLabelled, report } = await stream(file, data);
    const held = await evaluate({ checkpoint, data: { path: data }, needsLabel: false });
    expect(taken).toBe(ROWS);
    expect(isLabelled).toBe(which === 'labelled');
    expect(report.metrics).toEqual(held.report.metrics);
    expect(await readFile(file, 'utf8')).toBe(await heldFile(data));
  });

  it('go on behind the last whole line of a command that was interrupted, or killed within a line', async () => {
    const file = join(folder, 'interrupted.csv');
    await expect(stream(file, unlabelled, 1)).rejects.toThrow('interrupted');
    const [partial = ''] = (await readdir(folder)).filter((name) => name.startsWith('interrupted.csv.'));
    await appendFile(join(folder, partial), '8194,,ye');
    const { before, taken } = await stream(file, unlabelled);
    expect(before).toBeGreaterThanOrEqual(8192);
    expect(before).toBeLessThan(ROWS);
    expect(taken).toBe(ROWS);
    expect(await readFile(file, 'utf8')).toBe(await heldFile(unlabelled));
    expect((await readdir(folder)).filter((name) => /^interrupted.*\.partial$/.test(name))).toEqual([]);
  });

  it('of another model or table are not gone on with', async () => {
    const file = join(folder, 'other.csv');
    await expect(stream(file, unlabelled, 1)).rejects.toThrow('interrupted');
    expect((await stream(file, path)).before).toBe(0);
  });

  it('name every column that holds what the model cannot read, and leave no file', async () => {
    const broken = join(folder, 'broken.csv');
    const rows = (await readFile(unlabelled, 'utf8')).split('\n');
    rows[15_000] = 'red,many';
    await writeFile(broken, rows.join('\n'));
    const file = join(folder, 'broken.out.csv');
    await expect(stream(file, broken)).rejects.toThrow(/line 15001, column "size": expected a number, got "many"/);
    expect((await readdir(folder)).includes('broken.out.csv')).toBe(false);
  });
});
