/** A temporary folder that exists for the duration of some work. */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from '../files/index.ts';

/**
 * Gives `work` a new temporary folder, and removes it afterwards.
 *
 * @param name is part of the folder's name, so that its origin is clear where the process was killed
 */
export async function withScratch<T>(name: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), `bn-edge-${name}-`));
  using _ = atExit(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
