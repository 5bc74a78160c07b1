/** A lock lets one process at a time work, refuses others, and ignores stale locks. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isHeld, withLock, withLockOrRefuse } from '../../training/process/index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-lock-'));
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const done = () => Promise.resolve('done');

describe('a lock', () => {
  it('lets one at a time, who know whether they have waited', async () => {
    let [inside, max] = [0, 0];
    const waited: boolean[] = [];
    let waiting = 0;
    const one = () =>
      withLock(
        at('lock'),
        async (hasWaited) => {
          waited.push(hasWaited);
          max = Math.max(max, ++inside);
          await vi.waitUntil(() => waiting === 2);
          inside--;
        },
        () => void waiting++,
      );
    await Promise.all([one(), one(), one()]);
    expect(max).toBe(1);
    expect(waited).toEqual([false, true, true]);
    expect(await readdir(folder)).not.toContain('lock');
  });

  it('names its holder from the moment that it is there, however much else the process has to do', async () => {
    const holding = withLock(at('whole'), done);
    // No asynchronous work has happened yet, so the lock is written synchronously.
    expect(readFileSync(at('whole'), 'utf8')).toMatch(new RegExp(`^${process.pid} \\S+ ${hostname()} \\S+$`));
    expect(await holding).toBe('done');
  });

  it('is refused to others while it is held, who are told by whom', async () => {
    const file = at('run');
    await withLock(file, async () => {
      expect(isHeld(file)).toBe(true);
      await expect(withLockOrRefuse(file, 'runs/churn', 'no other training in it', done)).rejects.toThrow(
        `runs/churn: expected no other training in it, got one by process ${process.pid} (if that is none, remove ${file})`,
      );
    });
    expect(isHeld(file)).toBe(false);
    expect(await withLockOrRefuse(file, 'runs/churn', 'no other training in it', done)).toBe('done');
  });

  it('is held by a process that is killed no longer than by its life', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
    await withLock(at('own'), () => readFile(at('own'), 'utf8')).then(async (line) => {
      // This is what the child would have written, except for the time of its start, which only Linux reports.
      const [, , ...rest] = line.split(' ');
      await writeFile(at('killed'), [child.pid, '-', ...rest].join(' '));
    });
    expect(isHeld(at('killed'))).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isHeld(at('killed'))).toBe(false);
  });

  it.each([
    ['a process that has ended', `999999999 - ${hostname()} x`],
    ['a process that had the number of this one', `${process.pid} - ${hostname()} another`],
  ])('of %s does not count', async (_, content) => {
    await writeFile(at('stale'), content);
    expect(await withLockOrRefuse(at('stale'), 'stale', 'none', done)).toBe('done');
  });

  it.runIf(process.platform === 'linux')(
    'of a process whose number another one has by now does not count',
    async () => {
      await writeFile(at('reused'), `${process.ppid} 1 ${hostname()} x`);
      expect(await withLockOrRefuse(at('reused'), 'reused', 'none', done)).toBe('done');
    },
  );

  it.runIf(process.platform === 'linux')('of a process that is stopped counts, however long it is silent', async () => {
    // The start time is the 22nd value of the line, the 20th after the name.
    const ticks = (await readFile(`/proc/${process.ppid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ')[19] ?? '';
    await writeFile(at('stopped'), `${process.ppid} ${ticks} ${hostname()} x`);
    const long = new Date(Date.now() - 3_600_000);
    await utimes(at('stopped'), long, long);
    expect(isHeld(at('stopped'))).toBe(true);
  });

  it('that names nobody yet is waited for, and never refused by the number of no process', async () => {
    await writeFile(at('empty'), '');
    expect(await withLockOrRefuse(at('empty'), 'empty', 'none', done)).toBe('done');
  });

  it('that a killed process left is taken by one of many who come at once', async () => {
    await writeFile(at('many'), `999999999 - ${hostname()} x`);
    const module = new URL('../../training/process/index.ts', import.meta.url).href;
    const program = `
      import { readdirSync, rmSync, writeFileSync } from 'node:fs';
      import { setImmediate } from 'node:timers/promises';
      import { withLock } from ${JSON.stringify(module)};
      const [file, come] = process.argv.slice(1);
      writeFileSync(come + '/' + process.pid, '');
      while (readdirSync(come).length < 8);
      await withLock(file, async () => {
        writeFileSync(file + '.inside', '', { flag: 'wx' });
        for (let turn = 0; turn < 1000; turn++) await setImmediate();
        rmSync(file + '.inside');
      });`;
    await mkdir(at('come'));
    const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', program, at('many'), at('come')];
    const outcomes = Array.from({ length: 8 }, () => once(spawn(process.execPath, args, { stdio: 'ignore' }), 'exit'));
    expect((await Promise.all(outcomes)).map(([code]) => code as unknown)).toEqual(Array(8).fill(0));
    expect((await readdir(folder)).filter((name) => name.startsWith('many'))).toEqual([]);
  });

  it('of another machine counts until it has been silent for ten minutes', async () => {
    await writeFile(at('far'), '1 - another-machine x');
    expect(isHeld(at('far'))).toBe(true);
    const long = new Date(Date.now() - 601_000);
    await utimes(at('far'), long, long);
    expect(isHeld(at('far'))).toBe(false);
  });

  it('is given back where the work fails', async () => {
    await expect(withLock(at('fails'), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await readdir(folder)).not.toContain('fails');
  });
});
