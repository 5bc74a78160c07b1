/** Replaces a folder of files as a whole. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atExit, cannotWrite, makeFolder, UserError } from '../../training/files/index.ts';

/**
 * Writes all files, whose paths may contain folders, beside the old folder; only then are the two exchanged.
 *
 * @throws UserError if they cannot be written; the old folder is then still in place
 */
export const replaceFolder = (parent: string, name: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> =>
  put(parent, name, files, changePlaces);

/** @param exchange replaces `target` by `content` in one go */
export async function put(
  parent: string,
  name: string,
  files: ReadonlyMap<string, Uint8Array>,
  exchange: (target: string, content: string, old: string) => void,
): Promise<void> {
  const target = join(parent, name);
  try {
    await makeFolder(parent);
    const fresh = await mkdtemp(join(parent, `.${name}-`));
    const content = join(fresh, 'new');
    using _ = atExit(() => {
      rmSync(fresh, { recursive: true, force: true });
    });
    try {
      await mkdir(content);
      for (const [file, bytes] of files) await write(join(content, file), bytes);
      exchange(target, content, join(fresh, 'old'));
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  } catch (error) {
    throw error instanceof UserError ? error : cannotWrite(target, error);
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes, { flush: true });
}

/** Exchanges two folders synchronously, so that no signal can end the process while nothing is in place. */
export function changePlaces(target: string, content: string, old: string): void {
  if (existsSync(target)) renameSync(target, old);
  try {
    renameSync(content, target);
  } catch (error) {
    if (existsSync(old)) renameSync(old, target);
    throw error;
  }
}

/** Returns the name of the folder that a hidden one was made to replace; undefined if it was made for none. */
export const replacedBy = (name: string): string | undefined => /^\.(.+)-[A-Za-z0-9]{6}$/.exec(name)?.[1];

/**
 * Puts the old folder back if a process was killed between the two steps of the exchange.
 *
 * @returns true if it did
 */
export async function recoverFolder(parent: string, name: string): Promise<boolean> {
  if (existsSync(join(parent, name))) return false;
  const left = (await readdir(parent)).filter((each) => replacedBy(each) === name);
  const old = left.map((each) => join(parent, each, 'old')).find((path) => existsSync(path));
  if (old === undefined) return false;
  await rename(old, join(parent, name));
  await rm(dirname(old), { recursive: true, force: true });
  return true;
}
