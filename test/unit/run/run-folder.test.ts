/** The command line reads run folders and draws figures for people. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curves, writeFigures } from '../../../training/run/figures.ts';
import { openMetricsFile, type Run, RunFolder } from '../../../training/run/run-folder.ts';
import { binary, huber, objectiveRuleOf } from '../../../training/objective/index.ts';
import { sparkline } from '../../../exporter/command/terminal.ts';
import { bestEpoch } from '../../../training/trainer/index.ts';
import { stopsEarly } from '../../../training/trainer/early-stopping.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

const epoch = (number: number, loss: number) => ({
  epoch: number,
  train: { loss, score: loss / 2 },
  validation: { loss, score: loss / 4 },
});

describe('the metrics of a run', () => {
  it('keeps the lines of complete epochs, and of a killed run no more', async () => {
    const path = join(folder, 'metrics.jsonl');
    await writeFile(path, '{"epoch":1}\n{"epoch":2}\n{"epo');
    const add = await openMetricsFile(path, objectiveRuleOf(binary()).score, 1);
    add({ ...epoch(2, 0.5), steps: 20, samplesPerSecond: 1 });
    const lines = (await readFile(path, 'utf8')).split('\n');
    expect(lines.map((line) => (line ? (JSON.parse(line) as { epoch: number }).epoch : line))).toEqual([1, 2, '']);
  });

  it.each([
    [binary(), 'accuracy'],
    [huber(), 'rmse'],
  ] as const)('names the score of an epoch for %j', async (objective, name) => {
    const path = join(folder, `${name}.jsonl`);
    const add = await openMetricsFile(path, objectiveRuleOf(objective).score, 0);
    add({ ...epoch(1, 0.5), steps: 10, samplesPerSecond: 1 });
    expect(await readFile(path, 'utf8')).toBe(
      `{"epoch":1,"train":{"loss":0.5,"${name}":0.25},"validation":{"loss":0.5,"${name}":0.125},"steps":10,"samplesPerSecond":1}\n`,
    );
  });
});

it("a run that takes the place of another puts it aside, leaves what is not a run's, and can bring it back", async () => {
  const path = join(folder, 'taken');
  await mkdir(join(path, 'figures'), { recursive: true });
  const files = ['config.json', 'last.safetensors', 'best.safetensors', 'checkpoint.safetensors', 'metrics.jsonl'];
  for (const name of [...files, 'events.out.tfevents.1.bn-edge', 'figures/loss.svg', 'notes.txt']) {
    await writeFile(join(path, name), '');
  }
  const run = { description: { config: { objective: binary() } } } as unknown as Run;
  const taken = new RunFolder(path, run);
  const before = await readdir(path);
  await taken.begin();
  expect((await readdir(path)).sort()).toEqual(['.former', 'notes.txt']);
  await writeFile(join(path, 'config.json'), 'of the run that fails');
  await taken.restore();
  expect(await readdir(path)).toEqual(before);
  expect(await readFile(join(path, 'config.json'), 'utf8')).toBe('');
});

describe('a run that was killed while another one stood aside', () => {
  const run = { description: { config: { objective: binary() } } } as unknown as Run;
  const former = { 'last.safetensors': 'former', 'config.json': 'former', 'metrics.jsonl': 'former' };
  it.each<[string, object, object, object]>([
    ['before it saved anything, gives it back', { 'config.json': 'killed', 'metrics.jsonl': '' }, former, former],
    [
      'while it put it aside, gives back what it had moved',
      { 'config.json': 'former', 'metrics.jsonl': 'former' },
      { 'last.safetensors': 'former' },
      former,
    ],
    [
      'after it had saved, has taken its place',
      { 'last.safetensors': 'killed', 'config.json': 'killed' },
      former,
      { 'last.safetensors': 'killed', 'config.json': 'killed' },
    ],
  ])('%s', async (name, left, aside, expected) => {
    const path = join(folder, name);
    await mkdir(join(path, '.former'), { recursive: true });
    for (const [file, text] of Object.entries(left)) await writeFile(join(path, file), String(text));
    for (const [file, text] of Object.entries(aside)) await writeFile(join(path, '.former', file), String(text));
    await new RunFolder(path, run).recover();
    const found = (await readdir(path)).map(async (file) => [file, await readFile(join(path, file), 'utf8')] as const);
    expect(Object.fromEntries(await Promise.all(found))).toEqual(expected);
  });
});

describe('the best epoch', () => {
  it.each([
    ['none before the first', [], 0],
    ['the lowest loss', [3, 1, 2], 2],
    ['the first of equals', [3, 1, 1], 2],
    ['never one without a number', [NaN, 3, NaN, 2, NaN], 4],
    ['none where there are no numbers', [NaN, NaN], 0],
  ])('is %s', (_, losses, expected) => {
    expect(bestEpoch(losses.map((loss, i) => epoch(i + 1, loss)))).toBe(expected);
  });
});

describe('early stopping', () => {
  it.each([
    [false, [NaN, NaN, NaN, NaN]],
    [false, [NaN, NaN, 3, 2]],
    [false, [3, 2, NaN]],
    [true, [3, 2, NaN, NaN]],
    [true, [1, 2, 3]],
  ])('is %s after validation losses %j, with a patience of 2', (expected, losses) => {
    expect(
      stopsEarly(
        losses.map((loss, i) => epoch(i + 1, loss)),
        2,
      ),
    ).toBe(expected);
  });
});

describe('curves', () => {
  it.each([
    [[8, 4, 2, 1], 8, '█▆▃▁'],
    [[4, 4, 2, 2, 1, 1], 3, '█▅▁'],
    [[1, 1, 1], 8, '▁▁▁'],
    [[], 8, ''],
    [[0, 0], 8, '▁▁'],
    [[1, 4, 0], 8, '▁█▁'],
    [[2, NaN, 1, Infinity], 8, '█▁▁█'],
  ])('of %j in %i columns are %s', (values, width, expected) => {
    expect(sparkline(values, width)).toBe(expected);
  });

  it('as SVG show both parts and ring the best epoch', () => {
    const svg = curves('loss', 'loss', [epoch(1, 0.3), epoch(2, 0.1), epoch(3, 0.2)]);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg.match(/>(train|validation)<\/text>/g)).toEqual(['>train</text>', '>validation</text>']);
    expect(svg.match(/r="7"/g)).toHaveLength(1);
  });

  it('are of the loss and of the score, whose file and axis bear its name', async () => {
    const figures = join(folder, 'figures');
    await writeFigures(figures, [epoch(1, 0.3), epoch(2, 0.1)], objectiveRuleOf(huber()).score);
    expect((await readdir(figures)).sort()).toEqual(['loss.svg', 'rmse.svg']);
    expect(await readFile(join(figures, 'rmse.svg'), 'utf8')).toContain('RMSE');
  });
});
