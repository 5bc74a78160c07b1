import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ModelsError } from '../../exporter/edge/bad-models.ts';
import { buildImage } from '../../exporter/edge/build-image.ts';
import type { BuildImageOptions, BuiltImage } from '../../exporter/edge/built.ts';
import { describeBuild } from '../../exporter/command/describe-build.ts';
import { comparisonRows } from '../../exporter/edge/report.ts';
import { foreign as unknownOperator } from '../bundle/fixtures.ts';
import { npy } from '../unit/data/npy-file.ts';
import { cnn, mlp, table } from './fixtures.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

let folder: string;
let models: string;
let out: string;
let built: BuiltImage;

async function write(files: Readonly<Record<string, string | Uint8Array>>, parent: string): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(parent, name)), { recursive: true });
    await writeFile(join(parent, name), content);
  }
  return parent;
}

async function build(options: Partial<BuildImageOptions> = {}) {
  const stages: string[] = [];
  const onStage = (stage: string, model = '') => stages.push(`${stage} ${model}`.trim());
  return { ...(await buildImage({ models, out, onStage, ...options })), stages };
}

/** Returns ten digits as the samples beside an exported model. */
const samples = (shape: readonly number[], bytes = 10 * 784) =>
  zipSync({ 'x.npy': npy("'|u1'", `(${shape.join(', ')},)`, new Uint8Array(bytes).fill(7)) });

const card = (members: object) => JSON.stringify({ version: '2', ...members });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-build-'));
  [models, out] = [join(folder, 'models'), join(folder, 'out')];
  await write(
    {
      'digits/model.onnx': cnn({ channels: [2, 4], hidden: 8 }),
      'digits/card.json': card({
        explain: true,
        labels: Array.from({ length: 10 }, (_, i) => String(i)),
        description: 'a fixture',
      }),
      'digits/samples.npz': samples([10, 1, 28, 28]),
      'digits/versions/1/model.onnx': cnn({ channels: [2, 4], hidden: 8, seed: 9 }),
      'large/model.onnx': mlp(),
      'table/model.onnx': table(),
      'table/card.json': card({ output: { name: 'logits', kind: 'logits' } }),
      '.ipynb_checkpoints/model.onnx': 'a copy',
      'loose.onnx': 'a model',
      'README.md': 'words',
    },
    models,
  );
  built = await build();
}, 300_000);

afterAll(() => rm(folder, { recursive: true }));

describe('the build of an image', () => {
  it('tells of each model, also of another version, whether its twin is in it and how many cases it passed', () => {
    expect(built.models).toMatchObject([
      { name: 'digits', path: 'digits', version: '2', twin: true, ok: true },
      { name: 'digits', path: 'digits/versions/1', version: '1', twin: false, ok: true },
      { name: 'large', path: 'large', version: '1', twin: false, ok: true },
      { name: 'table', path: 'table', version: '2', twin: false, ok: true },
    ]);
    const [digits, before] = built.models.map(({ cases }) => cases);
    expect(before).toBeGreaterThan(200);
    const batchesOfSamples = 4;
    expect(digits).toBeGreaterThan(2 * (before ?? 0) - 100 + batchesOfSamples);
  });

  it('tells what a model costs, which is what the image would be smaller without it; and what is done meanwhile', async () => {
    const without = join(folder, 'without');
    await cp(models, without, { recursive: true });
    await rm(join(without, 'large'), { recursive: true });
    const smaller = await build({ models: without, out: join(folder, 'without-out'), unoptimized: true });
    const { stages, ...larger } = await build({ out: join(folder, 'with-out'), unoptimized: true });
    const cost = larger.models.find(({ name }) => name === 'large')?.gzipBytes ?? 0;
    const difference = larger.bytes.gzip - smaller.bytes.gzip;
    expect(cost).toBeGreaterThan(900_000);
    expect(Math.abs(cost - difference) / difference).toBeLessThan(0.05);
    const first = ['check digits', 'check digits/versions/1', 'check large', 'check table', 'instrument', 'boot'];
    expect(stages.slice(0, 6)).toEqual(first);
    expect(stages).toEqual(expect.arrayContaining(['verify digits/model', 'verify digits/switchable']));
  });

  it('tells what lies beside the models', () => {
    expect(built.notes).toEqual([
      `${models}/.ipynb_checkpoints: skipped: a model is a folder with a model.onnx`,
      `${models}/README.md: skipped: a model is a folder with a model.onnx`,
      `${models}/loose.onnx: expected it in a folder of its own: bn-edge add ${models}/loose.onnx`,
    ]);
  });

  it('is described by a line for each model, and the size of all', () => {
    const text = describeBuild(built);
    expect(text).toMatch(/digits +│ +2 │ +\d+ kB │ yes +│ +\d+ │/);
    expect(text).toMatch(/table +│ +2 │ +\d+ kB │ no +│ +\d+ │/);
    expect(text).toMatch(
      /out: written; image\.wasm and image\.mjs are [\d,]+ kB gzip, with the runtime specialised to them\nchecked: each case/,
    );
  });

  it('does nothing if nothing has changed', async () => {
    const { stages, ...again } = await build();
    expect(stages).toEqual([]);
    expect({ ...again, stages: [] }).toEqual({ ...built, upToDate: true, stages: [] });
  });

  it('optimizes nothing anew if only weights have changed', async () => {
    const [changed, other] = [join(folder, 'changed'), join(folder, 'changed-out')];
    await cp(models, changed, { recursive: true });
    await cp(out, other, { recursive: true });
    await write({ 'table/model.onnx': table(99) }, changed);
    const cached = await readdir(join(other, '.cache'));
    expect(await build({ models: changed, out: other })).toMatchObject({ upToDate: false });
    expect(await readdir(join(other, '.cache'))).toEqual(cached);
  });

  it('leaves nothing of the stock runtime behind, and is hidden from Git', async () => {
    const other = join(folder, 'swapped');
    await cp(out, other, { recursive: true });
    await build({ out: other, stock: true });
    expect(await readdir(other)).toContain('model-0.bin');
    await build({ out: other });
    expect((await readdir(other)).filter((name) => name.endsWith('.bin'))).toEqual([]);
    expect(await readFile(join(other, '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('is compared with stock on request', async () => {
    const rows = await comparisonRows(models, built);
    expect(rows.map(([label]) => label)).toEqual([
      ...['functions kept', 'size', 'size, gzip', 'start-up', 'warm run', 'process memory'],
    ]);
    for (const [label, stock, image] of rows.slice(0, 3))
      expect(Number.parseFloat(image), label).toBeLessThan(Number.parseFloat(stock));
  });

  it('gives the same bytes from a copy of this repository in another folder, on one core, for another user, and does not contain its path', async () => {
    const copy = join(folder, 'a-copy-of-the-repository-in-a-folder-with-a-longer-name');
    for (const name of ['exporter', 'training', 'worker', 'package.json', 'tsconfig.json'])
      await cp(join(root, name), join(copy, name), { recursive: true });
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    const other = join(folder, 'other');
    // The cached result of the optimizer is used if its input would be the same module as before.
    await cp(join(out, '.cache'), join(other, '.cache'), { recursive: true });
    // The home folder differs between two machines of a kind, and must not show in the image.
    const home = join(folder, 'home of another');
    await mkdir(home);
    const theirs = { LC_ALL: 'tr_TR.UTF-8', TZ: 'Asia/Kathmandu', HOME: home, TMPDIR: home };
    const program = `import { buildImage } from './exporter/edge/build-image.ts';
      process.umask(0o077);
      await buildImage(${JSON.stringify({ models, out: other })});`;
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', program];
    const [command = '', ...args] = process.platform === 'linux' ? ['taskset', '-c', '0', ...node] : node;
    await run(command, args, { cwd: copy, env: { ...process.env, ...theirs } });
    const names = (await readdir(out)).filter((name) => /^(image|wasm|package|predict)\./.test(name));
    expect(names).toHaveLength(8);
    for (const name of names) {
      const [here, there] = [await readFile(join(out, name)), await readFile(join(other, name))];
      expect(Buffer.compare(here, there), name).toBe(0);
      expect(there.includes('a-copy-of-the-repository'), name).toBe(false);
      expect(there.includes(folder), name).toBe(false);
    }
  });
});

/** These builds use the stock runtime, where each takes a second. */
describe('a build is done again', () => {
  it.each([
    ['a card', { 'table/card.json': card({ description: 'new words' }) }],
    ['a model', { 'table/model.onnx': table(99) }],
    ['a file of samples', { 'digits/samples.npz': samples([5, 1, 28, 28], 5 * 784) }],
    ['a folder', { 'digits/versions/3/model.onnx': cnn(), 'digits/versions/3/card.json': card({ version: '3' }) }],
  ])('where %s has changed', async (_, files: Record<string, string | Uint8Array>) => {
    const [changed, other] = await Promise.all(['models-', 'out-'].map((name) => mkdtemp(join(folder, name))));
    await cp(models, changed ?? '', { recursive: true });
    const options = { models: changed ?? '', out: other ?? '', stock: true };
    await build(options);
    expect(await build(options)).toMatchObject({ upToDate: true });
    await write(files, changed ?? '');
    expect(await build(options)).toMatchObject({ upToDate: false });
  });

  it('where a file of the image is gone', async () => {
    const other = join(folder, 'incomplete');
    await build({ out: other, stock: true });
    await rm(join(other, 'image.wasm'));
    expect(await build({ out: other, stock: true })).toMatchObject({ upToDate: false });
    expect(await readdir(other)).toContain('image.wasm');
  });
});

describe('a model that cannot be built', () => {
  const digits = cnn({ channels: [2, 4], hidden: 8 });
  const refused: [what: string, files: Record<string, string | Uint8Array>, message: RegExp][] = [
    ['a file that is none', { 'a/model.onnx': 'words' }, /a\/model\.onnx: expected an ONNX model, got 5 bytes/],
    ['an unknown operator', { 'a/model.onnx': unknownOperator('Frobnicate') }, /a\/model\.onnx: .*Frobnicate/],
    [
      'samples of another shape',
      { 'a/model.onnx': digits, 'a/samples.npz': samples([10, 784]) },
      /a\/samples\.npz: x: expected \[n, 1, 28, 28\] for pixels, got \[10, 784\]$/,
    ],
    [
      'no samples at all',
      { 'a/model.onnx': digits, 'a/samples.npz': samples([0, 1, 28, 28], 0) },
      /a\/samples\.npz: x: expected at least 1 samples, got 0$/,
    ],
  ];

  it.each(refused)('is named in one line, and nothing is written: %s', async (_, files, message) => {
    const bad = await write(files, await mkdtemp(join(folder, 'bad-')));
    const never = join(folder, 'never');
    const error = await buildImage({ models: bad, out: never }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'UserError', message: expect.stringMatching(message) as string });
    expect((error as Error).message).not.toContain('\n');
    await expect(readFile(join(never, 'image.wasm'))).rejects.toThrow('ENOENT');
  });

  it('is told from those that can', async () => {
    const files = { 'a/model.onnx': unknownOperator('Frobnicate'), 'b/model.onnx': digits };
    const bad = await write(files, await mkdtemp(join(folder, 'bad-')));
    const error = await buildImage({ models: bad, out: join(folder, 'never') }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ModelsError);
    expect((error as ModelsError).models).toMatchObject([
      { name: 'a', ok: false, error: expect.stringContaining('Frobnicate') as string },
      { name: 'b', ok: true },
    ]);
  });
});

describe('the types of an image', () => {
  it.each([
    ['a bundler', 'esnext', 'bundler', 'ES2022'],
    ['Node', 'nodenext', 'nodenext', 'ES2022'],
    ['Node, with arrays of halfs', 'nodenext', 'nodenext', 'ESNext'],
  ])(
    'are those that a Worker takes, under strict rules, as %s resolves them',
    async (_, module, resolution, library) => {
      const program = await write(
        {
          'program.mts': `import image, { models, type Session, sessions } from ${JSON.stringify(join(out, 'image.mjs'))};
          import type { Image } from ${JSON.stringify(join(root, 'worker/image.ts'))};
          export const taken: Image = image;
          export const first: Session | undefined = sessions.get(\`\${models[0]?.path ?? ''}/model\`);
          const data = first?.run({ x: { dtype: 'float32', shape: [1], data: new Float32Array(1) } })['y']?.data;
          export const sum: number = data instanceof Float32Array ? data.length : 0;
          // @ts-expect-error -- no tensor
          first?.run({ x: [1] });`,
          'package.json': '{ "type": "module" }',
          'tsconfig.json': JSON.stringify({
            compilerOptions: {
              ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, allowImportingTsExtensions: true },
              ...{ module, moduleResolution: resolution, target: 'ES2022', lib: [library, 'DOM'], types: [] },
            },
            files: ['program.mts'],
          }),
        },
        await mkdtemp(join(folder, 'types-')),
      );
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const { stdout } = await run(process.execPath, [tsc, '-p', program]).catch(
        (error: unknown) => error as { stdout: string },
      );
      expect(stdout).toBe('');
    },
  );
});
