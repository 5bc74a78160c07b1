/** Builds share their work when several are started for the files of one change, and builds that fail say why. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { oneForAll } from '../../../exporter/edge/one-for-all.ts';
import { withLock } from '../../../training/process/index.ts';
import { foreign } from '../../bundle/fixtures.ts';
import { run } from './in-process.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('of builds that begin at once', () => {
  const build = async (): Promise<string> => {
    done.push('begun');
    await sleep(200);
    done.push('done');
    return 'built';
  };
  let done: string[];
  beforeEach(() => {
    done = [];
  });

  it('each does the work where there is no image yet', async () => {
    expect(await Promise.all([oneForAll(folder, build), oneForAll(folder, build)])).toEqual(['built', 'built']);
  });

  it('one does the work where there is one, and none ends before it is done', async () => {
    await writeFile(join(folder, 'built.json'), '{}');
    const all = await Promise.all(
      Array.from({ length: 10 }, async () => [await oneForAll(folder, build), done.includes('done')] as const),
    );
    expect(all.filter(([built]) => built === 'built')).toHaveLength(1);
    expect(all.filter(([, isDone]) => !isDone)).toEqual([]);
    expect(done).toEqual(['begun', 'done']);
  });

  it('one that begins when they are done does the work anew, and none waits for a process that has ended', async () => {
    expect(await oneForAll(folder, build)).toBe('built');
    const first = oneForAll(folder, build);
    await sleep(100);
    await writeFile(join(folder, '.newest'), `4194304 - ${hostname()} of-none`);
    expect([await first, done]).toEqual([undefined, ['begun', 'done']]);
  });

  it('none begins while one of before is at work, and then the newest alone, however far apart they began', async () => {
    await writeFile(join(folder, 'built.json'), '{}');
    const begun = async (after: number) => {
      await sleep(after);
      return oneForAll(folder, build);
    };
    let all: Promise<readonly (string | undefined)[]> | undefined;
    await withLock(join(folder, '.lock'), async () => {
      all = Promise.all([begun(0), begun(400), begun(800)]);
      await sleep(1500);
      expect(done).toEqual([]);
    });
    expect(await all).toEqual([undefined, undefined, 'built']);
    expect(done).toEqual(['begun', 'done']);
  });

  it('the failure of one is its own, and the others end', async () => {
    const failing = () => oneForAll(folder, () => Promise.reject(new Error('no')));
    const all = await Promise.allSettled([failing(), failing(), failing()]);
    expect(all.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });
});

describe('bad models', () => {
  const at = (...path: readonly string[]): string => join(folder, ...path);
  const model = async (name: string, content: Uint8Array | string): Promise<void> => {
    await mkdir(at('models', name), { recursive: true });
    await writeFile(at('models', name, 'model.onnx'), content);
  };
  const build = (...more: readonly string[]) =>
    run('build', '--models', at('models'), '--out', at('image'), '--stock', ...more);
  const told = () => readFile(at('image', 'build-error.mjs'), 'utf8');

  it('are all told, and end the build with 1', async () => {
    await model('one', foreign('Frobnicate'));
    await model('two', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n');
    await model('three', '');
    const { code, stderr } = await build();
    expect(code).toBe(1);
    expect(stderr.split('\n').map((line) => line.replace(folder, ''))).toEqual([
      expect.stringMatching(/^error: \/models\/one\/model\.onnx: the runtime cannot run it: .*Frobnicate/),
      'error: /models/three/model.onnx: expected an ONNX model, got an empty file',
      expect.stringMatching(/^error: \/models\/two\/model\.onnx: expected an ONNX model, got .*git lfs/i),
    ]);
  });

  it('are left out on request, which is said and no failure', async () => {
    await model('good', await readFile('test/bundle/foreign/pytorch.onnx'));
    const { code, stdout, stderr } = await build('--skip-bad');
    expect([code, stderr.match(/^left out: /gm)?.length]).toEqual([0, 3]);
    expect(stdout).toContain('good');
  });

  it('leave the image of before answering under wrangler dev, which shows them', async () => {
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
