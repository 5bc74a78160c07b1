/**
 * One process at a time does some work: a file names who is at it. What a process that has ended left behind does not count, and
 * neither does another one that has got its number since.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { rm, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { atExit, cannotRead, cannotWrite, unexpected } from '../files/index.ts';

const pollMs = 100;
/** The holder shows at times that it is alive, to those who cannot see it: it runs on another machine, or has a number that others get. */
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
  const own = thisOne();
  let [hasWaited, isTold] = [false, false];
  held.add(own.id);
  try {
    while (!take(file, lineOf(own))) {
      if (dropIfStale(file)) continue;
      const holder = isHeld(file) ? holderOf(file) : undefined;
      // The file may have been made, and nobody be named in it yet, or another one be about to remove what is stale.
      if (holder && !isTold) onWait(holder.pid);
      [hasWaited, isTold] = [true, isTold || holder !== undefined];
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

/** In which all that begin the same work at about the same time have begun. */
const settleMs = 300;

/**
 * Of several that begin the same work at about the same time the last one does it, and the others wait until it is done: each goes on
 * when the work of all has been.
 *
 * @param file in a folder that is there; it stays
 * @param isBusy whether the work of before is still under way: the last one begins when it is not
 * @returns undefined where another one did it
 */
export async function lastDoes<T>(
  file: string,
  work: () => Promise<T>,
  isBusy: () => boolean = () => false,
): Promise<T | undefined> {
  const own = thisOne();
  held.add(own.id);
  const isLast = async (): Promise<boolean> => (await lastOf(file))?.id === own.id;
  try {
    announce(file, lineOf(own));
    await sleep(settleMs);
    while (isBusy() && (await isLast())) await sleep(pollMs);
    if (await isLast()) return await work();
  } finally {
    held.delete(own.id);
  }
  for (let last = await lastOf(file); last?.host === own.host && isAlive(last); last = await lastOf(file)) {
    await sleep(pollMs);
  }
  return undefined;
}

function announce(file: string, own: string): void {
  try {
    writeFileSync(file, own);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

/** While it is written anew the file is empty for a moment. */
async function lastOf(file: string): Promise<Holder | undefined> {
  const last = holderOf(file);
  if (last) return last;
  await sleep(pollMs);
  return holderOf(file);
}

/** Whether a process is at it now. */
export function isHeld(file: string): boolean {
  const line = contentOf(file);
  return line !== undefined && !isStale(file, line);
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

/**
 * In one go: a process that has much else to do gets to its next asynchronous step late, and a file that stays empty for so long is
 * taken for what a killed one left behind.
 */
function take(file: string, own: string): boolean {
  try {
    writeFileSync(file, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // Half a line would be another process's for a while.
    if (codeOf(error) === 'ENOSPC') rmSync(file, { force: true });
    throw cannotWrite(file, error);
  }
}

/**
 * One looks and removes at a time: of two who see the same one, the second must not take away what the first has put in its place.
 *
 * @returns whether it may be free now
 */
function dropIfStale(file: string): boolean {
  const guard = `${file}.tmp`;
  const line = contentOf(file);
  if (line === undefined) return true;
  if (!isStale(file, line)) return false;
  if (!take(guard, '')) {
    // Nobody is in here for longer than a moment, unless he was killed.
    if (silenceOf(guard) > unnamedMs) rmSync(guard, { force: true });
    return false;
  }
  try {
    const now = contentOf(file);
    if (now !== undefined && isStale(file, now)) remove(file);
  } finally {
    rmSync(guard, { force: true });
  }
  return true;
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

/** Between making a file and writing into it there is a moment. */
const unnamedMs = pollMs * 20;

function isStale(file: string, line: string): boolean {
  const silence = silenceOf(file);
  const holder = parse(line);
  if (!holder) return silence > unnamedMs;
  if (holder.host !== hostname()) return silence > silenceMs;
  // One that is stopped is silent, and goes on some day: Ctrl-Z, a debugger.
  return !isAlive(holder) || (holder.birth === unknownBirth && silence > silenceMs);
}

/** For how long nobody has touched a file; not at all where there is none. */
function silenceOf(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  return found ? Date.now() - found.mtimeMs : 0;
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

const thisOne = (): Holder => ({
  pid: process.pid,
  birth: birthOf(process.pid),
  host: hostname(),
  id: randomUUID(),
});

const lineOf = ({ pid, birth, host, id }: Holder): string => [pid, birth, host, id].join(' ');

function parse(line: string): Holder | undefined {
  const [pid = '', birth = '', host = '', id] = line.split(' ');
  return id !== undefined && /^[1-9]\d*$/.test(pid) ? { pid: Number(pid), birth, host, id } : undefined;
}

const holderOf = (file: string): Holder | undefined => parse(contentOf(file) ?? '');

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw cannotRead(file, error);
  }
}

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;
