/** `train --resume` finds the arguments that began the run. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forTheRecord, withRecordedArguments } from '../../../exporter/command/resume.ts';
import { train } from '../../../exporter/command/train.ts';
import { bnEdge } from '../../command.ts';

let folder: string;
const command = new Command('train');
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  await train.configure(command, []);
});
afterAll(() => rm(folder, { recursive: true }));

it('a run in the place of data is told how it goes on', async () => {
  const run = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  await writeFile(join(run, 'last.safetensors'), '');
  const { code, stderr } = await bnEdge(['train', '--resume', run]);
  expect([code, stderr]).toEqual([
    1,
    `error: train: expected data, got the run ${run}; --resume --out ${run} resumes it`,
  ]);
  await rm(run, { recursive: true });
});

it('goes on with the run that a killed one had put aside, by its own arguments', async () => {
  const run = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  await mkdir(join(run, '.former'));
  const configuration = (seed: string) => JSON.stringify({ arguments: ['--data', 'a.csv', '--seed', seed] });
  await writeFile(join(run, 'config.json'), configuration('2'));
  await writeFile(join(run, '.former/config.json'), configuration('1'));
  await writeFile(join(run, '.former/last.safetensors'), '');
  const resumed = () => withRecordedArguments(command, ['--resume', '--out', run]);
  expect(await resumed()).toEqual(['--data', 'a.csv', '--seed', '1', '--resume', '--out', run]);
  // A new run that has saved something replaces the previous one.
  await writeFile(join(run, 'last.safetensors'), '');
  expect(await resumed()).toEqual(['--data', 'a.csv', '--seed', '2', '--resume', '--out', run]);
  await rm(run, { recursive: true });
});

const record = (text: string) => writeFile(join(folder, 'config.json'), text);
const begun = (...args: readonly string[]) => record(JSON.stringify({ arguments: args }));

describe('--resume', () => {
  it.each<[string, string[], string[], string[]]>([
    [
      'puts the arguments that the run was begun with before its own',
      ['--data', 'a.csv', '--epochs', '9'],
      ['--threads', '2'],
      ['--data', 'a.csv', '--epochs', '9', '--resume', '--out', 'FOLDER', '--threads', '2'],
    ],
    [
      'lets its own arguments replace recorded ones, with all their values',
      ['--data', 'a.csv', '--missing', 'mean', 'sex=male', '--epochs=9', '--seed', '2'],
      ['--missing', 'median', '--epochs', '8'],
      ['--data', 'a.csv', '--seed', '2', '--resume', '--out', 'FOLDER', '--missing', 'median', '--epochs', '8'],
    ],
    [
      'lets other data replace the recorded ones, whichever way they are given',
      ['--seed', '2', '--data', 'a.csv'],
      ['b.csv'],
      ['--seed', '2', '--resume', '--out', 'FOLDER', '--data', 'b.csv'],
    ],
    [
      'lets a switch be turned the other way',
      ['--data', 'a.csv', '--spinning'],
      ['--no-spinning', 'b.csv'],
      ['--resume', '--out', 'FOLDER', '--no-spinning', '--data', 'b.csv'],
    ],
    [
      'knows what a run without data was trained on',
      ['--network', 'mnist-mlp'],
      [],
      ['--data', 'mnist', '--network', 'mnist-mlp', '--resume', '--out', 'FOLDER'],
    ],
  ])('%s', async (_, recorded, own, expected) => {
    await begun(...recorded);
    const all = await withRecordedArguments(command, ['--resume', '--out', folder, ...own]);
    expect(all.map((token) => (token === folder ? 'FOLDER' : token))).toEqual(expected);
  });

  it('finds recorded paths where the run began, and leaves those that are no more', async () => {
    for (const file of ['data.npy', 'labels.npy', 'net.ts', 'size', 'mnist-cnn'])
      await writeFile(join(folder, file), '');
    const args = ['--data=data.npy', '--label', 'labels.npy', '--network', 'net.ts', '--from', 'gone'];
    await record(JSON.stringify({ directory: '.', arguments: args }));
    const here = (file: string) => relative('.', join(folder, file));
    expect(await withRecordedArguments(command, ['--resume', '--out', folder])).toEqual([
      ...[`--data=${here('data.npy')}`, '--label', here('labels.npy'), '--network', here('net.ts'), '--from', 'gone'],
      ...['--resume', '--out', folder],
    ]);
    // Names of columns and networks stay as they are, even where a file has the same name.
    await record(JSON.stringify({ directory: '.', arguments: ['--label', 'size', '--network', 'mnist-cnn'] }));
    expect(await withRecordedArguments(command, ['--resume', '--out', folder])).toEqual([
      ...['--data', 'mnist', '--label', 'size', '--network', 'mnist-cnn', '--resume', '--out', folder],
    ]);
  });

  it.each([
    ['where no run has begun', ['--resume', '--out', '/no/such']],
    ['when it is not asked for', ['--epochs', '3']],
    ['when no run is named', ['--resume']],
  ])('adds nothing %s', async (_, own) => {
    expect(await withRecordedArguments(command, own)).toEqual(own);
  });

  it.each(['{', '{"arguments": [1]}', '{"arguments": 1}', 'null'])('refuses the configuration %s', async (text) => {
    await record(text);
    await expect(withRecordedArguments(command, ['--resume', `--out=${folder}`])).rejects.toThrow(
      `${join(folder, 'config.json')}: expected the configuration of a run as JSON, got something else`,
    );
  });
});

it('a run remembers its data as an option, and not how its result is printed', () => {
  expect(forTheRecord(command, ['a.csv', '--label', 'y', '--json', '--missing', 'mean', 'b=3'])).toEqual([
    ...['--data', 'a.csv', '--label', 'y', '--missing', 'mean', 'b=3'],
  ]);
});
