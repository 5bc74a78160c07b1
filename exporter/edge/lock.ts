/** One process at a time does some work: a file names who is at it. What a process that has ended left behind does not count. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 100;
/** The holder shows at times that it is alive: its number may long be another process's. */
const signOfLifeMs = 10_000;
/** Longer than any stage keeps the holder from showing it. */
const silenceMs = 600_000;

/** What this process holds. */
const held = new Set<string>();

/**
 * @param file in a folder that is there
 * @param work is told whether somebody else was at it before
 */
export async function withLock<T>(
  file: string,
  work: (hasWaited: boolean) => Promise<T>,
  onWait: () => void = () => undefined,
): Promise<T> {
  const own = `${process.pid} ${randomUUID()}`;
  let hasWaited = false;
  held.add(own);
  try {
    while (!(await take(file, own))) {
      if (!hasWaited) onWait();
      hasWaited = true;
      await dropIfStale(file);
      await sleep(pollMs);
    }
    const signs = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), signOfLifeMs);
    try {
      return await work(hasWaited);
    } finally {
      clearInterval(signs);
      await rm(file, { force: true });
    }
  } finally {
    held.delete(own);
  }
}

async function take(file: string, own: string): Promise<boolean> {
  try {
    await writeFile(file, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moved aside first: of two who see the same one, the second must not take the first one's own away. */
async function dropIfStale(file: string): Promise<void> {
  const holder = await contentOf(file);
  if (holder === undefined || !(await isStale(file, holder))) return;
  const aside = `${file}.${randomUUID()}.tmp`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await contentOf(aside)) === holder) await rm(aside, { force: true });
  else await rename(aside, file);
}

async function isStale(file: string, holder: string): Promise<boolean> {
  const pid = Number(holder.split(' ')[0]);
  const found = await stat(file).catch(() => undefined);
  if (!found) return false;
  const silence = Date.now() - found.mtimeMs;
  // Between making the file and writing into it there is a moment.
  if (!Number.isInteger(pid) || pid <= 0) return silence > pollMs * 20;
  return (pid === process.pid ? !held.has(holder) : !isRunning(pid)) || silence > silenceMs;
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

const contentOf = (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;
