/** Builds that are started for every file of one change. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isNewest } from '../../../exporter/command/build.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('of builds that begin at once', () => {
  it('each does the work where there is no image yet', async () => {
    expect(await Promise.all([isNewest(folder), isNewest(folder)])).toEqual([true, true]);
  });

  it('one does the work where there is one, and so does one that begins when they are done', async () => {
    await writeFile(join(folder, 'built.json'), '{}');
    const all = await Promise.all(Array.from({ length: 10 }, () => isNewest(folder)));
    expect(all.filter(Boolean)).toHaveLength(1);
    expect(await isNewest(folder)).toBe(true);
  });
});
