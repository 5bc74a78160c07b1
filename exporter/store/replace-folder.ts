/** Puts a folder of files in the place of another, as a whole. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atExit, cannotWrite, makeFolder, UserError } from '../../training/files/index.ts';

/**
 * All files, whose paths may have folders in them, are written beside the old folder first; only then do the two change places.
 *
 * @throws UserError when they cannot be written; the old folder is then still in place
 */
export const replaceFolder = (parent: string, name: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> =>
  put(parent, name, files, changePlaces);

/**
 * @param exchange puts `content` in the place of `target`, in one go
 */
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

/** Without a break, in which a signal could end the process with nothing in the place. */
export function changePlaces(target: string, content: string, old: string): void {
  if (existsSync(target)) renameSync(target, old);
  try {
    renameSync(content, target);
  } catch (error) {
    if (existsSync(old)) renameSync(old, target);
    throw error;
  }
}

/** The folder that a hidden one is about to take the place of, or was when its process ended; undefined for any other. */
export const replacedBy = (name: string): string | undefined => /^\.(.+)-[A-Za-z0-9]{6}$/.exec(name)?.[1];

/**
 * Where a process was killed between the two steps of changing places, the old folder is put back.
 * @returns whether it was
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
