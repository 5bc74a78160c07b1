/**
 * Reads and writes whole files, and reports failures to the user in one line. A file is written completely or not at
 * all.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, rmSync, statSync } from 'node:fs';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { unexpected, UserError } from './errors.ts';
import { atExit } from './releasing.ts';

/**
 * Reads a whole file.
 *
 * @throws UserError naming the file, and the operating system's reason or that the file is a pipe or a device
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  requireStored(path);
  try {
    return await readFile(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/**
 * Reads the first bytes of a file, however large it is.
 *
 * @throws UserError as `readBytes` does
 */
export async function readBeginning(path: string, length: number): Promise<Uint8Array> {
  requireStored(path);
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/**
 * Refuses pipes, sockets and devices. Files are read more than once, and some parts of them synchronously: a pipe would
 * block the process for ever, so that not even Ctrl-C could end it.
 *
 * @throws UserError for a pipe, a socket or a device. Any other problem, such as a missing file, is left to the
 * reader of the file.
 */
export function requireStored(path: string): void {
  let stats;
  try {
    stats = statSync(path);
  } catch {
    return;
  }
  if (stats.isFile() || stats.isDirectory()) return;
  const got = stats.isFIFO() ? 'a pipe' : stats.isSocket() ? 'a socket' : 'a device';
  throw unexpected(path, 'a file on a disk', `${got}: write what it gives to a file first`);
}

/** Makes the one-line error for a failed read. */
export function cannotRead(path: string, error: unknown): UserError {
  return new UserError(`${path}: cannot read: ${reason(error)}`, { cause: error });
}

/** The content of a file: whole, or in consecutive parts. */
export type Content = Uint8Array | string | readonly Uint8Array[];

/**
 * Writes a temporary file in the same folder, flushes it to the disk and renames it to `path`. Neither a reader nor a
 * full disk nor a crash ever leaves half a file there.
 *
 * @throws UserError naming the file and the operating system's reason; the previous file is then still in place
 */
export async function writeAtomically(path: string, content: Content): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  using _ = atExit(() => {
    rmSync(temporary, { force: true });
  });
  try {
    await writeAndSync(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw cannotWrite(path, error);
  }
}

/** Removes the temporary files of `writeAtomically` that a killed process left in a folder. */
export async function removeTemporaries(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /^\..+\.[0-9a-f-]{36}\.tmp$/.test(name));
  await Promise.all(names.map((name) => rm(join(folder, name), { force: true })));
}

/**
 * Appends to a file that is read while it grows.
 *
 * @throws UserError naming the file and the reason
 */
export function append(path: string, content: Uint8Array | string): void {
  try {
    appendFileSync(path, content);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** Makes the one-line error for a failed write. */
export function cannotWrite(path: string, error: unknown): UserError {
  return new UserError(`${path}: cannot write: ${reason(error)}`, { cause: error });
}

async function writeAndSync(path: string, content: Content): Promise<void> {
  await using file = await open(path, 'wx');
  await file.writeFile(content);
  await file.sync();
}

/** Returns the operating system's words for a failed call, such as `no such file or directory`. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { errno } = error as NodeJS.ErrnoException;
  return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? error.message;
}
