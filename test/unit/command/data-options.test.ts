/** Flags about pictures and arrays become the stored options. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDataOptions, type DataFlags, takeDataSource } from '../../../exporter/command/data-options.ts';

function sourceOf(...flags: readonly string[]) {
  const silent = { writeErr: () => undefined };
  const command = addDataOptions(new Command('train')).exitOverride().configureOutput(silent);
  command.parse(['--data', 'd', ...flags], { from: 'user' });
  return takeDataSource(command.opts<DataFlags>()).source;
}

describe('the flags about pictures and arrays', () => {
  it.each<[string[], object]>([
    [[], {}],
    [['--fit', 'contain', '--skip-broken'], { fit: 'contain', skipBroken: true }],
    [['--background', 'black'], { background: '#000000' }],
    [['--background', '#0Fa'], { background: '#00ffaa' }],
    [['--background', '20A040'], { background: '#20a040' }],
    [['--pictures', 'drawing', '--image-size', '28'], { pictures: 'drawing', size: { rows: 28, columns: 28 } }],
    [['--inputs', 'a', '--label', 'b', '--layout', 'NHWC'], { inputs: 'a', label: 'b', layout: 'NHWC' }],
  ])('%j say %j', (flags, source) => {
    expect(sourceOf(...flags)).toEqual({ path: 'd', ...source });
  });

  describe('for data that are there', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'bn-edge-data-options-'));
      await mkdir(join(folder, 'images/cat'), { recursive: true });
      await mkdir(join(folder, 'idx'));
      for (const name of ['t.csv', 't.parquet', 'a.npz', 'a.npy.gz', 'idx/train-images-idx3-ubyte'])
        await writeFile(join(folder, name), '');
    });
    afterAll(() => rm(folder, { recursive: true }));

    const said = ', of which it says something, got ';
    it.each([
      ['t.csv', ['--image-size', '32'], `--image-size: expected a folder of images${said}t.csv, which is a table`],
      ['t.parquet', ['--channels', '3'], `--channels: expected a folder of images${said}t.parquet, which is a table`],
      ['t.csv', ['--skip-broken'], `--skip-broken: expected a folder of images${said}t.csv, which is a table`],
      [
        't.csv',
        ['--pictures', 'drawing'],
        `--pictures: expected a folder of images or a folder of IDX files${said}t.csv, which is a table`,
      ],
      ['a.npz', ['--fit', 'cover'], `--fit: expected a folder of images${said}a.npz, which is arrays (.npz or .npy)`],
      ['a.npy.gz', ['--no-header'], `--no-header: expected a table${said}a.npy.gz, which is arrays (.npz or .npy)`],
      [
        'images',
        ['--label', 'x'],
        `--label: expected a table or arrays (.npz or .npy)${said}images, which is a folder of images`,
      ],
      ['images', ['--missing', 'mean'], `--missing: expected a table${said}images, which is a folder of images`],
      [
        'idx',
        ['--image-size', '32'],
        `--image-size: expected a folder of images${said}idx, which is a folder of IDX files`,
      ],
      [
        'idx',
        ['--test-share', '0.2'],
        `--test-share: expected a table, arrays (.npz or .npy) or a folder of images${said}idx, which is a folder of IDX files`,
      ],
    ])('are refused where they say nothing of them: %s %j', (name, flags, message) => {
      const path = join(folder, name);
      expect(() => sourceOf(...flags, '--data', path)).toThrow(message.replace(`got ${name}`, `got ${path}`));
    });

    it.each([
      ['t.csv', ['--label', 'y', '--no-header', '--test-share', '0.2']],
      ['a.npz', ['--label', 'y', '--layout', 'NHWC', '--task', 'regression']],
      ['images', ['--image-size', '32', '--pictures', 'drawing', '--validation-share', '0']],
      ['idx', ['--pictures', 'drawing']],
    ])('are taken where they do: %s %j', (name, flags) => {
      expect(sourceOf(...flags, '--data', join(folder, name))?.path).toBe(join(folder, name));
    });
  });

  it.each([
    ['--background', 'mauve', /Expected white, black or a colour such as #20a040/],
    ['--background', '#1234', /Expected white, black or a colour such as #20a040/],
    ['--fit', 'crop', /Allowed choices are stretch, cover, contain/],
    ['--layout', 'HWC', /Allowed choices are NCHW, NHWC/],
  ])('%s %s is refused', (flag, value, message) => {
    expect(() => sourceOf(flag, value)).toThrow(message);
  });
});
