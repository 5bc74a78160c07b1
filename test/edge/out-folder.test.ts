/** A build writes only into its image's folder, waits for other builds into that folder, and rebuilds damaged files. */
import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ModelsError } from '../../exporter/edge/bad-models.ts';
import { buildImage } from '../../exporter/edge/build-image.ts';
import { type Built, readStamp, recordFailure, writeImage } from '../../exporter/edge/out-folder.ts';
import { foreign } from '../bundle/fixtures.ts';
import { cnn, table } from './fixtures.ts';

let folder: string;
const at = (...path: readonly string[]): string => join(folder, ...path);

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(at(path)), { recursive: true });
  await writeFile(at(path), content);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-out-'));
  await write('models/table/model.onnx', table());
});
afterAll(() => rm(folder, { recursive: true }));

/** Builds on the stock runtime, where a build takes a second. */
const build = (out: string, models = 'models') => buildImage({ models: at(models), out: at(out), stock: true });

/** A result with every member that the report of a build reads. */
const built: Built = {
  stock: false,
  models: [
    {
      ...{ name: 'a', path: 'a', version: '1', gzipBytes: 1, twin: true, monitored: true, cases: 2, ok: true },
      weights: { type: 'int8', largestDifference: 1, relativeDifference: 0.5, samples: 3, changedClasses: 1 },
      engine: 'onnxruntime',
      engineReason: 'its op is another',
    },
  ],
  leftOut: [{ path: 'b', error: 'it is bad' }],
  unguessed: ['a/model'],
  bytes: { wasm: 1, module: 2, weights: 3, assets: 4, gzip: 5 },
  functions: { kept: 1, stock: 2 },
};

it.each([{ sums: 3 }, { reason: 'a case differs' }])('the stamp keeps the whole result, and %o', async (fusion) => {
  await writeImage(at('stamped'), { 'image.mjs': '' }, 'hash', { ...built, fusion });
  expect((await readStamp(at('stamped')))?.built).toEqual({ ...built, fusion });
});

describe('the folder of an image', () => {
  it.each<[what: string, files: Readonly<Record<string, string>>, out: string, message: RegExp]>([
    [
      'of a project',
      { 'package.json': '{}', '.gitignore': 'runs' },
      '',
      /expected an empty folder, or one that bn-edge build has made, got one with "\.gitignore"$/,
    ],
    ['of other files', { 'notes.md': 'mine' }, '', /got one with "notes\.md"$/],
    ['with a built.json of something else', { 'built.json': '{"a":1}', 'main.js': '' }, '', /got one with "main\.js"$/],
    [
      'of the models',
      { 'models/a/model.onnx': '' },
      'models',
      /expected a folder apart from the models in .*, got that one$/,
    ],
    ['above the models', { 'models/a/model.onnx': '' }, '.', /got one that they are in$/],
    ['among the models', { 'models/a/model.onnx': '' }, 'models/a/image', /got one among them$/],
    ['that is a file', { file: '' }, 'file', /--out .*file: expected a folder, got a file$/],
    [
      'below a file',
      { file: '' },
      'file/x',
      /file\/x: .*(not a directory|file already exists|expected a folder, got a file)/,
    ],
  ])('is never one %s', async (what, files, out, message) => {
    const place = `never/${what.replaceAll(' ', '-')}`;
    for (const [path, content] of Object.entries(files)) await write(join(place, path), content);
    const models = 'models/a/model.onnx' in files ? join(place, 'models') : 'models';
    if (models !== 'models') await write(join(models, 'a/model.onnx'), table());
    const before = await readdir(at(place), { recursive: true });
    await expect(build(join(place, out), models)).rejects.toThrow(message);
    await expect(build(join(place, out), models)).rejects.toThrow(
      expect.objectContaining({ name: 'UserError' }) as Error,
    );
    expect(await readdir(at(place), { recursive: true })).toEqual(before);
    for (const [path, content] of Object.entries(files))
      if (!path.endsWith('.onnx')) expect(await readFile(at(place, path), 'utf8')).toBe(content);
  });

  it('has a name', async () => {
    await expect(buildImage({ models: at('models'), out: '' })).rejects.toThrow('--out: expected a folder, got ""');
    await expect(buildImage({ models: '', out: at('out') })).rejects.toThrow('--models: expected a folder of models');
  });

  it('is made again where a file of it is not what was written', async () => {
    await build('damaged');
    expect(await build('damaged')).toMatchObject({ upToDate: true });
    for (const damage of [
      () => truncate(at('damaged/image.wasm'), 1000),
      () => writeFile(at('damaged/image.mjs'), 'export default 1'),
      () => writeFile(at('damaged/built.json'), '{'),
      () => writeFile(at('damaged/built.json'), '{"sha256":"x"}'),
      () => rm(at('damaged/built.json')),
    ]) {
      await damage();
      expect(await build('damaged')).toMatchObject({ upToDate: false });
      expect(await build('damaged')).toMatchObject({ upToDate: true });
    }
  });

  it('is known by its names where the stamp is gone, and loses the files of the image before', async () => {
    const former = ['whole.wasm', 'program-0.wasm', 'program-0.wat', 'weights-0.bin', 'image.wat'];
    for (const name of ['image.mjs', ...former]) await write(`former/${name}`, 'former');
    await build('former');
    expect((await readdir(at('former'))).filter((name) => former.includes(name))).toEqual([]);
  });

  it('is built by one of several at once, and the others find it done', async () => {
    const built = await Promise.all([build('together'), build('together'), build('together')]);
    expect(built.map(({ upToDate }) => upToDate).sort()).toEqual([false, true, true]);
    expect((await readdir(at('together'))).filter((name) => /lock|part|tmp/.test(name))).toEqual([]);
  });
});

describe('models that cannot be built', () => {
  it('are all told in one run, in a line each, and leave no trace', async () => {
    await write('bad/a/model.onnx', foreign('RandomNormalLike'));
    await write('bad/b/model.onnx', foreign('Frobnicate'));
    await write('bad/c/model.onnx', cnn());
    await write('bad/c/card.json', '{"output": {"name": "y", "kind": "logits"}}');
    await write('bad/d/model.onnx', table());
    const error: unknown = await buildImage({ models: at('bad'), out: at('no-trace') }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ModelsError);
    const { models } = error as ModelsError;
    expect(models.map(({ name, ok }) => [name, ok])).toEqual([
      ['a', false],
      ['b', false],
      ['c', false],
      ['d', true],
    ]);
    expect(models[0]?.error).toMatch(/bad\/a\/model\.onnx: expected the same answer .* draws random numbers/);
    expect(models[1]?.error).toMatch(/bad\/b\/model\.onnx: the runtime cannot run it: .*Frobnicate/);
    expect(models[2]?.error).toMatch(/bad\/c\/card\.json: output\.name: expected "logits", got "y"$/);
    expect(models.map(({ error = '' }) => error).join('')).not.toContain('\n');
    expect(await readdir(folder)).not.toContain('no-trace');
  });
});

describe('where bad models may be left out', () => {
  const build = (models: string, skipBad = true) =>
    buildImage({ models: at(models), out: at('left'), stock: true, skipBad });

  it('the image is of the others, and it is said of each why it is not in it', async () => {
    await write('some/a/model.onnx', table());
    await write('some/b/model.onnx', foreign('Frobnicate'));
    await write('some/c/model.onnx', '<!doctype html><p>404');
    // Without the later version, the previous one would answer.
    await write('some/c/versions/2/model.onnx', table());
    await write('some/c/versions/2/card.json', '{"version": "2"}');
    const built = await build('some');
    expect(built.models.map(({ path }) => path)).toEqual(['a']);
    expect(built.leftOut.map(({ path, error }) => [path, error.replace(/^.*model\.onnx: /, '')])).toEqual([
      ['b', expect.stringMatching(/^the runtime cannot run it: .*Frobnicate/)],
      ['c', expect.stringMatching(/^expected an ONNX model, got a web page/)],
    ]);
    expect(await build('some')).toEqual({ ...built, upToDate: true });
    await expect(build('some', false)).rejects.toThrow(ModelsError);
  });

  it('there is no image of none', async () => {
    await write('none/b/model.onnx', foreign('Frobnicate'));
    await expect(build('none')).rejects.toThrow('Frobnicate');
  });
});

describe('an image whose models cannot be built any more', () => {
  const told = async (what: string): Promise<unknown> => {
    const { default: image } = (await import(`${pathToFileURL(at('told/image.mjs')).href}?${what}`)) as {
      default: { buildError?: string };
    };
    return image.buildError;
  };

  it('tells why, until they can', async () => {
    expect(await recordFailure(at('told'), 'no')).toBe(false);
    await build('told');
    expect(await told('built')).toBeUndefined();
    expect(await recordFailure(at('told'), 'a: "no"\nb: no')).toBe(true);
    expect(await readFile(at('told/build-error.mjs'), 'utf8')).toBe('export default "a: \\"no\\"\\nb: no";\n');
    expect(await build('told')).toMatchObject({ upToDate: true });
    expect(await readFile(at('told/build-error.mjs'), 'utf8')).toBe('export default undefined;\n');
  });

  it('is none that can answer where it is damaged', async () => {
    await build('told');
    await truncate(at('told/image.wasm'), 3);
    expect(await recordFailure(at('told'), 'no')).toBe(false);
  });
});
