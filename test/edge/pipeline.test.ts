import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readModels } from '../../exporter/edge/models.ts';
import { buildEdge } from '../../exporter/edge/pipeline.ts';
import { Deployment } from '../bench/edge/workerd.ts';
import { cnn, foreign } from './fixtures.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

let folder: string;
let models: string;
let out: string;

async function buildInto(outFolder: string, stock = false) {
  const stages: string[] = [];
  const onStage = (stage: string) => stages.push(stage);
  return { ...(await buildEdge({ modelsFolder: models, outFolder, stock, trim: false, onStage })), stages };
}

/** A Worker that answers with the first logit of a blank image, as a string. */
async function answerInWorkerd(outFolder: string): Promise<string> {
  const worker = `import { sessions } from './edge.mjs';
    const feeds = { pixels: { dtype: 'float32', shape: [1, 1, 28, 28], data: new Float32Array(784) } };
    export default { fetch: () => new Response(sessions.get('small/model').run(feeds).logits.data.join()) };`;
  const names = ['edge.mjs', 'edge.wasm'];
  if (outFolder.endsWith('stock')) names.push('model-0.bin', 'model-1.bin');
  const files = await Promise.all(names.map(async (name) => [name, await readFile(join(outFolder, name))] as const));
  await using deployment = await Deployment.create({
    name: 'test',
    files: { 'worker.mjs': worker, ...Object.fromEntries(files) },
  });
  return (await deployment.coldStart()).answer;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-test-'));
  [models, out] = [join(folder, 'models'), join(folder, 'out')];
  await mkdir(join(models, 'small'), { recursive: true });
  await writeFile(join(models, 'small/model.onnx'), cnn({ channels: [2, 4], hidden: 8 }));
  await writeFile(join(models, 'stranger.onnx'), foreign());
  await buildInto(out);
});

afterAll(() => rm(folder, { recursive: true }));

describe('the build of the edge image', () => {
  it('names models by their path', async () => {
    expect(Object.keys(await readModels(models))).toEqual(['small/model', 'stranger']);
  });

  it('refuses a folder without models', async () => {
    await expect(readModels(join(root, 'exporter/edge/runtime'))).rejects.toThrow(
      'expected at least one .onnx file, got none',
    );
  });

  it('does nothing if nothing has changed', async () => {
    expect(await buildInto(out)).toMatchObject({ upToDate: true, stages: [] });
  });

  it('runs in workerd, with the same bits on the specialised and on the stock runtime', async () => {
    const stock = join(folder, 'stock');
    await buildInto(stock, true);
    const [specialised, expected] = [await answerInWorkerd(out), await answerInWorkerd(stock)];
    expect(specialised).toBe(expected);
    expect(specialised.split(',')).toHaveLength(10);
  });

  it('gives the same bytes from a copy of this repository in another folder, and does not contain its path', async () => {
    const copy = join(folder, 'a-copy-of-the-repository-in-a-folder-with-a-longer-name');
    await cp(join(root, 'exporter/edge'), join(copy, 'exporter/edge'), { recursive: true });
    await cp(join(root, 'package.json'), join(copy, 'package.json'));
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    const other = join(folder, 'other');
    // The optimizer is skipped if it would be given the same module as before.
    await cp(join(out, '.cache'), join(other, '.cache'), { recursive: true });
    const args = ['--import', 'tsx', 'exporter/edge/cli.ts', '--models', models, '--out', other];
    await run(process.execPath, args, { cwd: copy, env: { ...process.env, LANG: 'de_DE.UTF-8' } });
    for (const name of ['edge.wasm', 'edge.mjs', 'edge.d.mts']) {
      const [here, there] = [await readFile(join(out, name)), await readFile(join(other, name))];
      expect(Buffer.compare(here, there), name).toBe(0);
      expect(there.includes('a-copy-of-the-repository'), name).toBe(false);
      expect(there.includes(folder), name).toBe(false);
    }
  });

  it('writes nothing and says why if a file is not a model', async () => {
    const bad = join(folder, 'bad');
    await mkdir(bad);
    await writeFile(join(bad, 'broken.onnx'), 'not a model');
    const build = buildEdge({
      modelsFolder: bad,
      outFolder: join(folder, 'never'),
      stock: false,
      trim: false,
      onStage: () => undefined,
    });
    await expect(build).rejects.toThrow(/^model broken: .*protobuf parsing failed/i);
    await expect(readFile(join(folder, 'never/edge.wasm'))).rejects.toThrow('ENOENT');
  });
});
