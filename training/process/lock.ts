/**
 * Locks that let one process at a time do some work: a file names the holder. A lock is stale when its holder has
 * ended, even where another process has been given the holder's process id since.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { rm, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { atExit, cannotRead, cannotWrite, unexpected } from '../files/index.ts';

const pollMs = 100;
/**
 * The interval at which the holder touches the file. It shows that it is alive to processes that cannot check: those on
 * other machines, and those that cannot distinguish its process id from a reused one.
 */
const signOfLifeMs = 10_000;
/** A holder that has been silent for this long is taken for dead. No stage blocks the holder for as long. */
const silenceMs = 600_000;

/** The holder of a lock. The file stores these members in one line, separated by spaces. */
interface Holder {
  readonly pid: number;
  /** When the process began, where the system provides it. A later process with the same id has another value. */
  readonly birth: string;
  readonly host: string;
  readonly id: string;
}

/** The ids of the locks that this process holds or waits for. */
const held = new Set<string>();

/**
 * Does some work while holding a lock, and waits for the lock where another process holds it.
 *
 * @param file lies in a folder that exists
 * @param work receives whether another process held the lock before
 * @param onWait receives that process's id; an error that it throws ends the waiting
 */
export async function withLock<T>(
  file: string,
  work: (hasWaited: boolean) => Promise<T>,
  onWait: (pid: number) => void = () => undefined,
): Promise<T> {
  const own = ownHolder();
  let [hasWaited, isTold] = [false, false];
  held.add(own.id);
  try {
    while (!take(file, lineOf(own))) {
      if (dropIfStale(file)) continue;
      const holder = isHeld(file) ? holderOf(file) : undefined;
      // The file may have just been made and be still empty, or another process may be about to remove a stale one.
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
 * Does some work while holding a lock, or throws at once where another process holds it.
 *
 * @param expected says what does not hold when the lock is taken, such as `no other training in it`
 * @throws UserError naming the other process, if there is one
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

/** The time within which all processes that begin the same work at about the same time have announced themselves. */
const settleMs = 300;

/**
 * Lets the last of several processes that begin the same work at about the same time do it. The others wait until it is
 * done, so that each continues when the work covers them all.
 *
 * @param file lies in a folder that exists; it is not removed
 * @param isBusy returns whether earlier work is still in progress; the last process begins once it is not
 * @returns undefined where another process did the work
 */
export async function coalesced<T>(
  file: string,
  work: () => Promise<T>,
  isBusy: () => boolean = () => false,
): Promise<T | undefined> {
  const own = ownHolder();
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

/**
 * Returns the process that announced itself last. The file is empty for a moment while it is rewritten, so an empty one
 * is read twice.
 */
async function lastOf(file: string): Promise<Holder | undefined> {
  const last = holderOf(file);
  if (last) return last;
  await sleep(pollMs);
  return holderOf(file);
}

/** Is true while a process holds the lock. */
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
 * Creates the lock file, and returns false where it exists already. This is synchronous: a busy process resumes late
 * after an asynchronous step, and a file that stays empty for so long would be taken for the remains of a killed
 * process.
 */
function take(file: string, own: string): boolean {
  try {
    writeFileSync(file, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // A partly written line would look like another process's lock for a while.
    if (codeOf(error) === 'ENOSPC') rmSync(file, { force: true });
    throw cannotWrite(file, error);
  }
}

/**
 * Removes the lock file if it is stale. A guard file lets one process at a time look and remove: otherwise a second
 * process that saw the same stale file could remove the new lock that the first has put in its place.
 *
 * @returns whether the lock may be free now
 */
function dropIfStale(file: string): boolean {
  const guard = `${file}.tmp`;
  const line = contentOf(file);
  if (line === undefined) return true;
  if (!isStale(file, line)) return false;
  if (!take(guard, '')) {
    // A process holds the guard for a moment only, so an old guard belongs to a killed process.
    if (silenceOf(guard) > emptyFileMs) rmSync(guard, { force: true });
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

/** A lock file may be empty for this long: creating it and writing to it are two steps. */
const emptyFileMs = pollMs * 20;

function isStale(file: string, line: string): boolean {
  const silence = silenceOf(file);
  const holder = parse(line);
  if (!holder) return silence > emptyFileMs;
  if (holder.host !== hostname()) return silence > silenceMs;
  // A stopped process (Ctrl-Z, a debugger) is silent, but may continue some day.
  return !isAlive(holder) || (holder.birth === unknownBirth && silence > silenceMs);
}

/** Returns the milliseconds since a file was last touched; 0 where there is no file. */
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
    // A process of another user refuses the signal, but exists.
    return codeOf(error) !== 'ESRCH';
  }
}

const unknownBirth = '-';

/**
 * Returns when a process began. Linux gives it in clock ticks since boot, as the 20th value after the process's name,
 * which may contain any character: `man 5 proc`.
 */
function birthOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? unknownBirth;
  } catch {
    return unknownBirth;
  }
}

const ownHolder = (): Holder => ({
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
