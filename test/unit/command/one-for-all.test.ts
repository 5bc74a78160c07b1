/** Builds share their work when several are started for the files of one change. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { oneForAll } from '../../../exporter/edge/one-for-all.ts';
import { withLock } from '../../../training/process/index.ts';

/** Time passes when all that can be done before has been done: to the next moment that somebody waits for. */
const clock = vi.hoisted(() => {
  const [waiting, times] = [[] as { readonly until: number; readonly wake: () => void }[], { now: 0 }];
  const pass = (): void => {
    waiting.sort((a, b) => a.until - b.until);
    const next = waiting.shift();
    if (next) times.now = next.until;
    next?.wake();
  };
  return (ms: number): Promise<void> =>
    new Promise((wake) => {
      waiting.push({ until: times.now + ms, wake });
      setImmediate(pass);
    });
});
vi.mock(import('node:timers/promises'), async (original) => ({ ...(await original()), setTimeout: clock as never }));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('of builds that begin at once', () => {
  const build = async (): Promise<string> => {
    done.push('begun');
    await clock(200);
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
    writeFileSync(join(folder, 'built.json'), '{}');
    const all = await Promise.all(
      Array.from({ length: 10 }, async () => [await oneForAll(folder, build), done.includes('done')] as const),
    );
    expect(all.filter(([built]) => built === 'built')).toHaveLength(1);
    expect(all.filter(([, isDone]) => !isDone)).toEqual([]);
    expect(done).toEqual(['begun', 'done']);
  });

  it('one that begins when they are done does the work anew, and none waits for a process that has ended', async () => {
    writeFileSync(join(folder, 'built.json'), '{}');
    expect(await oneForAll(folder, build)).toBe('built');
    const first = oneForAll(folder, build);
    await clock(100);
    // No time passes until this is written.
    writeFileSync(join(folder, '.newest'), `4194304 - ${hostname()} of-none`);
    expect([await first, done]).toEqual([undefined, ['begun', 'done']]);
  });

  it('none begins while one of before is at work, and then the newest alone, however far apart they began', async () => {
    writeFileSync(join(folder, 'built.json'), '{}');
    const begun = async (after: number) => {
      await clock(after);
      return oneForAll(folder, build);
    };
    let all: Promise<readonly (string | undefined)[]> | undefined;
    await withLock(join(folder, '.lock'), async () => {
      all = Promise.all([begun(0), begun(400), begun(800)]);
      await clock(1500);
      expect(done).toEqual([]);
    });
    expect(await all).toEqual([undefined, undefined, 'built']);
    expect(done).toEqual(['begun', 'done']);
  });

  it('the failure of one is its own, and the others end', async () => {
    writeFileSync(join(folder, 'built.json'), '{}');
    const failing = () => oneForAll(folder, () => Promise.reject(new Error('no')));
    const all = await Promise.allSettled([failing(), failing(), failing()]);
    expect(all.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });
});
