/**
 * Makes folders one by one: Node's recursive `mkdir` never returns below folders that accept no entries, such as
 * Linux's /proc.
 */
import { statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserError } from './errors.ts';
import { reason } from './files.ts';

/**
 * Makes a folder and the missing ones above it.
 *
 * @throws UserError naming the folder and the reason, such as a file in its place
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await make(resolve(path));
  } catch (error) {
    throw new UserError(`${path}: cannot make the folder: ${reason(error)}`, { cause: error });
  }
}

async function make(path: string): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  const above = dirname(path);
  if (statSync(above, { throwIfNoEntry: false })?.isDirectory() === false) throw new Error('not a directory');
  if (above !== path) await make(above);
  await mkdir(path).catch((error: unknown) => {
    // Another process may have made the folder in the meantime.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  });
}
