/**
 * One process at a time does some work: a file names who is at it. What a process that has ended left behind does not count, and
 * neither does another one that has got its number since.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { atExit, cannotWrite, unexpected } from '../files/index.ts';

const pollMs = 100;
/** The holder shows at times that it is alive: its number may long be another process's. */
const signOfLifeMs = 10_000;
/** Longer than any stage keeps the holder from showing it. */
const silenceMs = 600_000;

/** Who holds a lock, as the file has it: these in a line. */
interface Holder {
  readonly pid: number;
  /** When the process began, where the system tells: no later one of that number began then. */
  readonly birth: string;
  readonly host: string;
  readonly id: string;
}

/** What this process holds. */
const held = new Set<string>();

/**
 * Waits while another process is at it.
 *
 * @param file in a folder that is there
 * @param work is told whether somebody else was at it before
 * @param onWait is told the number of that process; what it throws ends the waiting
 */
export async function withLock<T>(
  file: string,
  work: (hasWaited: boolean) => Promise<T>,
  onWait: (pid: number) => void = () => undefined,
): Promise<T> {
  const own: Holder = { pid: process.pid, birth: birthOf(process.pid), host: hostname(), id: randomUUID() };
  let hasWaited = false;
  held.add(own.id);
  try {
    while (!(await take(file, lineOf(own)))) {
      if (await dropIfStale(file)) continue;
      if (!hasWaited) onWait((await holderOf(file))?.pid ?? 0);
      hasWaited = true;
      await sleep(pollMs);
    }
    return await holding(file, () => work(hasWaited));
  } finally {
    held.delete(own.id);
  }
}

/**
 * Does not wait.
 *
 * @param expected what is not the case where the lock is held, such as `no other training in it`
 * @throws UserError naming the other process, where there is one
 */
export const withLockOrRefuse = <T>(
  file: string,
  where: string,
  expected: string,
  work: () => Promise<T>,
): Promise<T> =>
  withLock(file, work, (pid) => {
    throw unexpected(where, expected, `one by process ${pid} (if that is none, remove ${file})`);
  });

/** Whether a process is at it now. */
export async function isHeld(file: string): Promise<boolean> {
  const holder = await contentOf(file);
  return holder !== undefined && !(await isStale(file, holder));
}

async function holding<T>(file: string, work: () => Promise<T>): Promise<T> {
  using _ = atExit(() => {
    rmSync(file, { force: true });
  });
  const signs = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), signOfLifeMs);
  try {
    return await work();
  } finally {
    clearInterval(signs);
    await rm(file, { force: true });
  }
}

async function take(file: string, own: string): Promise<boolean> {
  try {
    await writeFile(file, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // Half a line would be another process's for a while.
    if (codeOf(error) === 'ENOSPC') await rm(file, { force: true });
    throw cannotWrite(file, error);
  }
}

/**
 * Moved aside first: of two who see the same one, the second must not take the first one's own away.
 *
 * @returns whether it was
 */
async function dropIfStale(file: string): Promise<boolean> {
  const holder = await contentOf(file);
  if (holder === undefined) return true;
  if (!(await isStale(file, holder))) return false;
  const aside = `${file}.${randomUUID()}.tmp`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    throw cannotWrite(file, error);
  }
  if ((await contentOf(aside)) === holder) await rm(aside, { force: true });
  else await rename(aside, file);
  return true;
}

async function isStale(file: string, line: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  if (!found) return false;
  const silence = Date.now() - found.mtimeMs;
  const holder = parse(line);
  // Between making the file and writing into it there is a moment.
  if (!holder) return silence > pollMs * 20;
  return silence > silenceMs || (holder.host === hostname() && !isAlive(holder));
}

function isAlive({ pid, birth, id }: Holder): boolean {
  if (pid === process.pid) return held.has(id);
  return isRunning(pid) && (birth === unknownBirth || birth === birthOf(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process cannot be asked, but is there.
    return codeOf(error) !== 'ESRCH';
  }
}

const unknownBirth = '-';

/** Linux tells it in ticks since it was started, as the 20th value behind the name, which may hold any sign: `man 5 proc`. */
function birthOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? unknownBirth;
  } catch {
    return unknownBirth;
  }
}

const lineOf = ({ pid, birth, host, id }: Holder): string => [pid, birth, host, id].join(' ');

function parse(line: string): Holder | undefined {
  const [pid = '', birth = '', host = '', id] = line.split(' ');
  return id !== undefined && /^[1-9]\d*$/.test(pid) ? { pid: Number(pid), birth, host, id } : undefined;
}

const holderOf = async (file: string): Promise<Holder | undefined> => parse((await contentOf(file)) ?? '');

const contentOf = (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;
