/** Puts a folder of files in the place of another, as a whole. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, UserError } from '../../training/files/index.ts';

/**
 * All files, whose paths may have folders in them, are written beside the old folder first; only then do the two change places.
 *
 * @throws UserError when they cannot be written; the old folder is then still in place
 */
export async function replaceFolder(
  parent: string,
  name: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const target = join(parent, name);
  try {
    await makeFolder(parent);
    const fresh = await mkdtemp(join(parent, `.${name}-`));
    const [content, old] = [join(fresh, 'new'), join(fresh, 'old')];
    try {
      await mkdir(content);
      for (const [file, bytes] of files) await write(join(content, file), bytes);
      await rename(target, old).catch(ignoreMissing);
      await rename(content, target);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  } catch (error) {
    throw new UserError(`${target}: cannot write: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  await makeFolder(dirname(path));
  await writeFile(path, bytes, { flush: true });
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/** The folder that a hidden one is about to take the place of, or was when its process ended; undefined for any other. */
export const replacedBy = (name: string): string | undefined => /^\.(.+)-[A-Za-z0-9]{6}$/.exec(name)?.[1];
