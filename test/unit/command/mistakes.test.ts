/**
 * A user's mistake gives one line on standard error that says what to do, and exit code 1; it leaves nothing behind.
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeNpz } from '../../../training/data/index.ts';
import { networks } from '../../../training/network/index.ts';
import { bmp } from '../data/bmp-file.ts';
import { run } from './in-process.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  for (const path of ['empty', 'empty/.churn-a1B2c3', 'dotted/.cache', 'dotted/churn', 'loose', 'run']) {
    await mkdir(join(folder, path), { recursive: true });
  }
  await writeFile(join(folder, 'loose/other.onnx'), 'a model');
  await writeFile(join(folder, 'run/config.json'), '{}');
  await writeFile(join(folder, 'file'), 'no folder');
  await mkdir(join(folder, 'occupied'));
  await writeFile(join(folder, 'occupied/worker'), 'no folder');
  await mkdir(join(folder, 'taken'));
  await writeFile(join(folder, 'taken/models'), 'no folder');
  await mkdir(join(folder, 'single/a'), { recursive: true });
  for (let i = 0; i < 10; i++) await writeFile(join(folder, `single/a/${i}.bmp`), bmp(24, 2, 1, [i, 0, 0, 0, i, 0]));
  const one = { x: { shape: [12, 2], data: new Float32Array(24) }, y: { shape: [12], data: new Int32Array(12) } };
  await writeFile(join(folder, 'single.npz'), encodeNpz(one));
  await writeFile(join(folder, 'rare.csv'), 'a,b\n1,x\n2,y\n3,x\n4,x\n5,x\n6,x\n7,x\n8,x\n9,x\n10,x\n11,x\n12,x\n');
  await writeFile(join(folder, 'a.csv'), 'a,b\n1,x\n2,y\n3,x\n4,y\n5,x\n6,y\n7,x\n8,y\n9,x\n10,y\n11,x\n12,y\n');
});
afterAll(() => rm(folder, { recursive: true }));

describe('bn-edge answers in one line to', () => {
  it.each<[string, string[], string]>([
    [
      'train without data',
      ['train'],
      'train: expected a data file or folder, such as bn-edge train churn.csv --label churned; --help lists all',
    ],
    [
      'a network without data',
      ['train', '--network', 'mnist-mlp'],
      'train: expected a data file or folder, such as bn-edge train churn.csv --label churned; --help lists all',
    ],
    [
      'a run to go on with that is not named',
      ['train', '--resume'],
      'train: expected the run to resume, such as bn-edge train --resume --out runs/churn; --help lists all',
    ],
    [
      'data that are given twice',
      ['train', 'a.csv', '--data', 'b.csv'],
      '--data: expected no other data beside a.csv, got b.csv',
    ],
    [
      'data that are not there',
      ['train', 'nope.csv', '--label', 'x'],
      'nope.csv: cannot read: no such file or directory',
    ],
    [
      'a table without a label',
      ['train', 'FOLDER/a.csv'],
      'FOLDER/a.csv: expected the name of the label to predict, got none; --label names it',
    ],
    [
      'another kind of file',
      ['train', 'package.json'],
      'package.json: expected a .csv, .tsv, .tab, .txt, .data, .parquet, .jsonl, .ndjson, .npz or .npy file, or a folder of images, got another kind of file',
    ],
    [
      'an unknown network',
      ['train', 'FOLDER/a.csv', '--label', 'b', '--network', 'lenet'],
      `--network: expected ${Object.keys(networks).join(', ')}, or a .ts, .js or .json file, got "lenet"`,
    ],
    [
      'a batch of one',
      ['train', 'a.csv', '--batch-size', '1'],
      "option '--batch-size <n>' argument '1' is invalid. Expected a whole number of at least 2.",
    ],
    [
      'a momentum of one',
      ['train', 'a.csv', '--bn-momentum', '1'],
      "option '--bn-momentum <x>' argument '1' is invalid. Expected a number in [0, 1).",
    ],
    [
      'pictures of a single class',
      ['train', 'FOLDER/single'],
      'FOLDER/single: expected at least two classes, got only "a"; each class has a folder of its own',
    ],
    [
      'arrays of a single class',
      ['train', '--data', 'FOLDER/single.npz'],
      'FOLDER/single.npz: expected at least two classes, got only "0"; --label names other labels',
    ],
    [
      'a class whose only sample is held back',
      ['train', 'FOLDER/rare.csv', '--label', 'b', '--test-share', '0.6'],
      'FOLDER/rare.csv: expected samples of at least two classes to train on, got only "x"; add samples of the others, or lower --validation-share and --test-share',
    ],
    ['an unknown option', ['train', 'a.csv', '--epoch', '2'], 'train: expected --epochs <n>, got --epoch'],
    [
      'a folder without files',
      ['train', 'training'],
      'training: expected a folder of images (PNG, JPEG, WebP, TIFF, GIF or BMP) for each class, got none',
    ],
    [
      'evaluate without anything',
      ['evaluate'],
      'evaluate: expected a run or a file, such as bn-edge evaluate runs/churn; --help lists all',
    ],
    [
      'an ONNX file without data',
      ['evaluate', 'models/mnist-mlp/model.onnx'],
      'evaluate: expected --data, since the model does not record its training data, got none',
    ],
    [
      'two files',
      ['evaluate', 'runs/a', '--model', 'b.onnx'],
      'evaluate: --model: expected none beside runs/a, got b.onnx',
    ],
    [
      'export without anything',
      ['export'],
      'export: expected a run folder or a checkpoint, such as bn-edge export runs/churn; --help lists all',
    ],
    [
      'a run that is not there',
      ['export', 'runs/nope'],
      'runs/nope: expected a run folder or a safetensors checkpoint, got no such file or folder',
    ],
    [
      'a table in place of a run',
      ['export', 'FOLDER/a.csv'],
      'FOLDER/a.csv: expected a run folder or a safetensors checkpoint, got a table, which bn-edge train takes',
    ],
    [
      'a model that has been exported already',
      ['export', 'models/mnist-mlp/model.onnx'],
      'models/mnist-mlp/model.onnx: expected a run folder or a safetensors checkpoint, got an ONNX file, which bn-edge add takes',
    ],
    [
      'an ONNX file to evaluate that is not there',
      ['evaluate', 'nope.onnx', '--data', 'FOLDER/a.csv', '--label', 'b'],
      'nope.onnx: cannot read: no such file or directory',
    ],
    [
      'a folder that is no run',
      ['export', 'FOLDER/empty'],
      'FOLDER/empty: expected a run folder with checkpoint.safetensors, got none',
    ],
    [
      'a run that is not complete',
      ['export', 'FOLDER/run'],
      'FOLDER/run: expected a run folder with checkpoint.safetensors, got none; bn-edge train --resume --out FOLDER/run completes the run',
    ],
    [
      'a name that is a path',
      ['export', 'FOLDER/a.csv', '--name', '../x'],
      `--name: expected letters, digits, '.', '_' and '-', got "../x"`,
    ],
    ['add without a file', ['add'], 'add: expected an ONNX file, such as bn-edge add model.onnx; --help lists all'],
    ['a file to add that is not there', ['add', 'nope.onnx'], 'nope.onnx: cannot read: no such file or directory'],
    [
      'models that are not there',
      ['build', '--models', 'FOLDER/nope'],
      'FOLDER/nope: expected a folder of models, got none; bn-edge export runs/<run> or bn-edge add <file> makes one, --models names another folder',
    ],
    [
      'a folder without models',
      ['build', '--models', 'FOLDER/empty'],
      'FOLDER/empty: expected a model, got none; bn-edge export runs/<run> or bn-edge add <file> makes one',
    ],
    [
      'a loose file and no model',
      ['build', '--models', 'FOLDER/loose'],
      'FOLDER/loose/other.onnx: expected it in a folder of its own: bn-edge add FOLDER/loose/other.onnx',
    ],
    [
      'a folder that is none of a model',
      ['build', '--models', 'FOLDER/dotted'],
      'FOLDER/dotted/churn: expected a file model.onnx, got none; bn-edge add churn.onnx makes such a folder',
    ],
    [
      'a project in which a file stands in the way',
      ['init', 'FOLDER/occupied'],
      'FOLDER/occupied/worker: expected a folder, or nothing, got a file; move it, or name another project: bn-edge init <folder>',
    ],
    [
      'a project whose models are a file',
      ['init', 'FOLDER/taken'],
      'FOLDER/taken/models: expected a folder, or nothing, got a file; move it, or name another project: bn-edge init <folder>',
    ],
    ['a project that is a file', ['init', 'FOLDER/file'], 'FOLDER/file/package.json: cannot read: not a directory'],
    [
      'release without a run',
      ['release'],
      'release: expected a run folder or a checkpoint, such as bn-edge release runs/churn; --help lists all',
    ],
    [
      'rollback among several models',
      ['rollback'],
      'rollback: expected the name of a model, got none of mnist-cnn, mnist-mlp',
    ],
    [
      'a model to go back to that is not there',
      ['rollback', 'nope', '--local'],
      'models/nope: expected a model, got none; bn-edge status lists the models',
    ],
    ['a model that is not there', ['status', 'nope'], 'status: expected mnist-cnn or mnist-mlp, got nope'],
    ['an unknown command', ['trian'], "unknown command 'trian' (Did you mean train?)"],
    ['the help of an unknown command', ['help', 'trian'], "unknown command 'trian' (Did you mean train?)"],
    [
      'an unknown command that is asked for help',
      ['telepathy', '--help'],
      "unknown command 'telepathy' (bn-edge --help lists all)",
    ],
    ['one that is like none', ['telepathy'], "unknown command 'telepathy' (bn-edge --help lists all)"],
    ['what other tools call it', ['fit', 'a.csv'], 'bn-edge: expected bn-edge train, got fit'],
    [
      'what Wrangler does',
      ['deploy'],
      'bn-edge: expected npx wrangler deploy, which builds the image by itself, got deploy',
    ],
    [
      'an option before the command',
      ['--json', 'train'],
      'bn-edge: expected a command before options (bn-edge --help lists all), got --json',
    ],
    ['too many arguments', ['init', 'a', 'b'], 'init: expected at most one argument, folder, got also b'],
    ['an option without its value', ['train', 'a.csv', '--epochs'], "option '--epochs <n>' argument missing"],
    [
      'a choice that is none',
      ['train', 'a.csv', '--backend', 'cuda'],
      "option '--backend <name>' argument 'cuda' is invalid. Allowed choices are native, webgpu, wasm, auto.",
    ],
  ])('%s', async (_, args, message) => {
    const inFolder = (text: string) => text.replaceAll('FOLDER', folder);
    const all = args.map(inFolder);
    const isJson = all.includes('--json');
    const before = await readdir(folder, { recursive: true });
    const outcome = await run(...all);
    const expected = inFolder(message);
    expect(outcome).toEqual({
      code: 1,
      stdout: isJson ? `${JSON.stringify({ error: expected })}\n` : '',
      stderr: `error: ${expected}`,
    });
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });
});

it('a folder that cannot be written is told in one line, after what the data are', async () => {
  const args = ['train', join(folder, 'a.csv'), '--label', 'b', '--out', join(folder, 'file/run')];
  expect(await run(...args)).toMatchObject({
    code: 1,
    stderr: `error: ${join(folder, 'file/run')}: cannot make the folder: not a directory`,
  });
});

describe('with --json', () => {
  it('the line stands on standard error all the same, and an object on standard output', async () => {
    expect(await run('train', '--json')).toEqual({
      code: 1,
      stdout: `{"error":"train: expected a data file or folder, such as bn-edge train churn.csv --label churned; --help lists all"}\n`,
      stderr:
        'error: train: expected a data file or folder, such as bn-edge train churn.csv --label churned; --help lists all',
    });
  });

  it('init answers with what it wrote', async () => {
    const { code, stdout, stderr } = await run('init', join(folder, 'app'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      wrote: ['wrangler.toml', 'tsconfig.json', 'worker/index.ts', 'models/.gitkeep', 'package.json', '.gitignore'],
      added: {},
      left: [],
    });
    expect(stdout.split('\n')).toHaveLength(2);
    expect(stderr).toContain('wrote  wrangler.toml');
  });
});
