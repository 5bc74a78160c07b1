/**
 * `bn-edge train --folds` and `--refit` that are stopped while they search for the length of training resume after the
 * last complete fold.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../training/checkpoint/checkpoint.ts';
import { bnEdge, withoutStages } from '../command.ts';

const root = join(import.meta.dirname, '../..');
let folder: string;
const at = (...path: readonly string[]): string => join(folder, ...path);
const begin = ['train', 'penguins.csv', '--label', 'species', '--hidden', '16', '--threads', '1', '--epochs', '300'];
const search = [...begin, '--folds', '4'];
const resume = (name: string): readonly string[] => ['train', '--resume', '--out', `runs/${name}`];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-folds-'));
  await copyFile(join(root, 'test/fixtures/penguins.csv'), at('penguins.csv'));
  expect(await bnEdge([...search, '--out', 'runs/whole'], { cwd: folder })).toMatchObject({ code: 0 });
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command until it has printed a line that starts with `start`. */
async function stopAfter(start: string, signal: NodeJS.Signals, args: readonly string[]) {
  const main = join(root, 'exporter/command/main.ts');
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...args], { cwd: folder });
  const exit = once(child, 'exit');
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  for await (const line of createInterface(child.stdout)) if (line.startsWith(start)) child.kill(signal);
  const [code, by] = (await exit) as [number | null, NodeJS.Signals | null];
  return { code, by, stderr: withoutStages(stderr, args[0]) };
}

const saved = (name: string) => readdir(at('runs', name, 'folds'));
const tensorsOf = async (name: string) => [
  ...(await readSafetensors(at('runs', name, 'checkpoint.safetensors'))).tensors,
];

describe('a run that asks folds how long to learn', { timeout: 120_000 }, () => {
  it('is killed and interrupted, goes on with no other word, and ends as one that was not', async () => {
    expect(await saved('whole')).toEqual(['1', '2', '3', '4'].map((fold) => `${fold}.safetensors`));

    const killed = await stopAfter('fold 2/4', 'SIGKILL', [...search, '--out', 'runs/broken']);
    expect(killed).toMatchObject({ code: null, by: 'SIGKILL' });
    const before = await saved('broken');
    expect(before).toContain('1.safetensors');
    expect(before.length).toBeLessThan(4);
    expect(await readdir(at('runs/broken'))).not.toContain('last.safetensors');
    const { mtimeMs } = await stat(at('runs/broken/folds/1.safetensors'));

    const interrupted = await stopAfter('fold 3/4', 'SIGINT', resume('broken'));
    // Where the signal arrives after the last fold, the training of the network itself is stopped.
    expect(interrupted.stderr).toMatch(
      /^stopped (in fold 4\/4, all before it are saved|after step \d+, all is saved); to resume: bn-edge train --resume --out runs\/broken$/,
    );
    expect(interrupted.code).toBe(130);

    const last = await bnEdge(resume('broken'), { cwd: folder });
    expect(last).toMatchObject({ code: 0, stderr: '' });
    expect(last.stdout).toContain('runs/broken/folds/3.safetensors: taken as it is');
    expect(last.stdout).not.toMatch(/^fold [123]\/4/m);
    expect((await stat(at('runs/broken/folds/1.safetensors'))).mtimeMs).toBe(mtimeMs);
    expect(await tensorsOf('broken')).toEqual(await tensorsOf('whole'));
    const answers = await Promise.all(
      ['broken', 'whole'].map((name) => readFile(at('runs', name, 'out-of-fold.csv'), 'utf8')),
    );
    expect(answers[0]).toBe(answers[1]);
  });

  it('goes on with no other folds, settings or data, and says in one line which', async () => {
    const again = (...others: readonly string[]) => bnEdge([...resume('whole'), ...others], { cwd: folder });
    const file = 'runs/whole/folds/1.safetensors';
    const startOver = 'leave out --resume to start over';
    expect((await again('--folds', '3')).stderr).toBe(
      `error: ${file}: expected config.folds 4, as the run was started with, got 3; ${startOver}`,
    );
    expect((await again('--epochs', '301')).stderr).toBe(
      `error: ${file}: expected config.epochs 300, as the run was started with, got 301; ${startOver}`,
    );
    const rows = (await readFile(at('penguins.csv'), 'utf8')).replace('39.1', '39.2');
    await writeFile(at('others.csv'), rows);
    expect((await again('--data', 'others.csv')).stderr).toBe(
      `error: ${file}: expected the samples that the run was started with, got others; ${startOver}`,
    );
  });

  it('is a run that no other takes the place of, and is replaced as a whole when that is asked for', async () => {
    const killed = await stopAfter('fold 1/3', 'SIGKILL', [...begin, '--folds', '3', '--out', 'runs/former']);
    expect(killed).toMatchObject({ by: 'SIGKILL' });
    // The signal may arrive before the fold is on the disk.
    if ((await readdir(at('runs/former'))).includes('folds')) {
      const beside = await bnEdge([...begin.slice(0, -1), '1', '--out', 'runs/former'], { cwd: folder });
      expect(beside.stdout).toContain('runs/former holds a run: this one goes into runs/former-2');
    }
    const other = [...begin.slice(0, -1), '1', '--out', 'runs/former', '--overwrite'];
    expect(await bnEdge(other, { cwd: folder })).toMatchObject({ code: 0 });
    expect(await readdir(at('runs/former'))).not.toContain('folds');
  });
});

it('a run that learns from the validation part as well does not search again', { timeout: 120_000 }, async () => {
  const first = await bnEdge([...begin, '--refit', '--out', 'runs/refit'], { cwd: folder });
  expect(first).toMatchObject({ code: 0 });
  expect(await saved('refit')).toEqual(['1.safetensors']);
  const before = await tensorsOf('refit');
  await rm(at('runs/refit/last.safetensors'));
  const { stdout, code } = await bnEdge(resume('refit'), { cwd: folder });
  expect(code).toBe(0);
  expect(stdout).not.toMatch(/^search {2}epoch/m);
  expect(await tensorsOf('refit')).toEqual(before);
});
