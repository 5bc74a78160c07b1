/** Builds that fail say why. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { foreign } from '../../bundle/fixtures.ts';
import { run } from './in-process.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('bad models', () => {
  const at = (...path: readonly string[]): string => join(folder, ...path);
  const model = async (name: string, content: Uint8Array | string): Promise<void> => {
    await mkdir(at('models', name), { recursive: true });
    await writeFile(at('models', name, 'model.onnx'), content);
  };
  const build = (...more: readonly string[]) =>
    run('build', '--models', at('models'), '--out', at('image'), '--stock', ...more);
  const told = () => readFile(at('image', 'build-error.mjs'), 'utf8');

  beforeAll(async () => {
    await model('one', foreign('Frobnicate'));
    await model('two', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n');
    await model('three', '');
    await model('good', await readFile('test/bundle/foreign/pytorch.onnx'));
  });

  it('are all told, and end the build with 1', async () => {
    const { code, stderr } = await build();
    expect(code).toBe(1);
    expect(stderr.split('\n').map((line) => line.replace(folder, ''))).toEqual([
      expect.stringMatching(/^error: \/models\/one\/model\.onnx: the runtime cannot run it: .*Frobnicate/),
      'error: /models/three/model.onnx: expected an ONNX model, got an empty file',
      expect.stringMatching(/^error: \/models\/two\/model\.onnx: expected an ONNX model, got .*git lfs/i),
    ]);
  });

  it('are left out on request, which is said and no failure', async () => {
    const { code, stdout, stderr } = await build('--skip-bad');
    expect([code, stderr.match(/^left out: /gm)?.length]).toEqual([0, 3]);
    expect(stdout).toContain('good');
  });

  it('leave the image of before answering under wrangler dev, which shows them', async () => {
    await build('--skip-bad');
    vi.stubEnv('WRANGLER_COMMAND', 'dev');
    try {
      const { code, stderr } = await build();
      expect([code, stderr]).toEqual([0, expect.stringMatching(/Frobnicate[^]*the previous models go on answering/)]);
      expect(await told()).toContain('Frobnicate');
    } finally {
      vi.unstubAllEnvs();
    }
    expect((await build()).code).toBe(1);
  });
});
