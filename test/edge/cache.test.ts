import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { StageCache } from '../../exporter/edge/cache.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-cache-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs a stage on `input`. @returns its result, and whether it had to be made */
async function stage(cache: StageCache, what: string, input: number) {
  let made = false;
  const result = await cache.use((recall) =>
    recall(what, [Uint8Array.of(input)], () => {
      made = true;
      return Promise.resolve(Uint8Array.of(input + 1));
    }),
  );
  return { result: [...result], made };
}

describe('the memory of stages', () => {
  it('makes the same from the same once', async () => {
    expect(await stage(new StageCache(folder, 'code'), 'a', 1)).toEqual({ result: [2], made: true });
    expect(await stage(new StageCache(folder, 'code'), 'a', 1)).toEqual({ result: [2], made: false });
  });

  it.each([
    ['another input', 'code', 'a', 2],
    ['another stage', 'code', 'b', 1],
    ['other code', 'new code', 'a', 1],
  ])('makes %s anew', async (_, code, what, input) => {
    expect(await stage(new StageCache(folder, code), what, input)).toMatchObject({ made: true });
  });

  it.each([
    ['cut short', (entry: Buffer) => entry.subarray(0, entry.length - 1)],
    ['changed', (entry: Buffer) => Buffer.concat([entry.subarray(0, -1), Buffer.of(9)])],
    ['empty', () => Buffer.of()],
  ])('makes anew what is remembered and %s', async (what, damage) => {
    const [own] = [join(folder, what)];
    await stage(new StageCache(own, 'code'), 'a', 1);
    const [name = ''] = await readdir(own);
    await writeFile(join(own, name), damage(await readFile(join(own, name))));
    expect(await stage(new StageCache(own, 'code'), 'a', 1)).toEqual({ result: [2], made: true });
    expect(await stage(new StageCache(own, 'code'), 'a', 1)).toEqual({ result: [2], made: false });
  });

  it('makes everything anew where what it remembered does not work', async () => {
    const cache = new StageCache(folder, 'fails once');
    await stage(cache, 'a', 1);
    const results: string[] = [];
    const last = new StageCache(folder, 'fails once').use(async (recall) => {
      await recall('a', [Uint8Array.of(1)], () => Promise.resolve(Uint8Array.of(results.push('made'))));
      if (results.length === 0) throw new Error('verification failed');
      return 'done';
    });
    expect(await last).toBe('done');
    expect(results).toEqual(['made']);
  });

  it('passes on an error that has nothing to do with it', async () => {
    const attempts: number[] = [];
    const failing = new StageCache(folder, 'code').use(() => {
      attempts.push(1);
      return Promise.reject(new Error('not a model'));
    });
    await expect(failing).rejects.toThrow('not a model');
    expect(attempts).toHaveLength(1);
  });
});
