/**
 * Caches the results of stages in a folder, keyed by the hash of everything that they depend on. A result that depends
 * on more than its key can say, such as which functions cases reach, is a guess until verification has passed. If
 * verification fails, everything is made again.
 */

import { createHash, hash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { cannotRead, makeFolder, writeAtomically } from '../../training/files/index.ts';
import type { Recall } from './ingredients.ts';

export class StageCache {
  readonly #folder: string;
  readonly #code: string;
  #recalled = false;
  readonly #used = new Set<string>();

  /** @param code hash of the stages' code and of the packages that they use */
  constructor(folder: string, code: string) {
    this.#folder = folder;
    this.#code = code;
  }

  /**
   * Returns what `make` gives with cached results. If `make` fails with any of them, it runs again without the cache.
   */
  async use<T>(make: (recall: Recall) => Promise<T>): Promise<T> {
    try {
      return await make((...stage) => this.#recall(...stage));
    } catch (error) {
      if (!this.#recalled) throw error;
      return await make((...stage) => this.#make(...stage));
    }
  }

  /**
   * Removes all entries that this cache object has not used. The folder may not exist yet if every model is compiled.
   */
  async prune(): Promise<void> {
    await makeFolder(this.#folder);
    const others = (await readdir(this.#folder)).map((name) => join(this.#folder, name));
    await Promise.all(others.filter((path) => !this.#used.has(path)).map((path) => rm(path, { recursive: true })));
  }

  async #recall(...stage: Parameters<Recall>): Promise<Uint8Array> {
    const remembered = unsealed(await readIfThere(this.#pathOf(...stage)));
    if (!remembered) return this.#make(...stage);
    this.#recalled = true;
    return remembered;
  }

  async #make(...stage: Parameters<Recall>): Promise<Uint8Array> {
    const made = await stage[2]();
    await makeFolder(this.#folder);
    await writeAtomically(this.#pathOf(...stage), Buffer.concat([hashOf(made), made]));
    return made;
  }

  #pathOf(...[what, inputs]: Parameters<Recall>): string {
    const hash = createHash('sha256').update(this.#code);
    for (const input of inputs) hash.update(`${input.length}\n`).update(input);
    const path = join(this.#folder, `${what}-${hash.digest('hex')}`);
    this.#used.add(path);
    return path;
  }
}

/**
 * Checks the hash that an entry begins with.
 *
 * @returns undefined for an entry that is not as it was written, for example because the disk was full
 */
function unsealed(entry: Buffer | undefined): Uint8Array | undefined {
  const [hash, content] = [entry?.subarray(0, HASH_BYTES), entry?.subarray(HASH_BYTES)];
  return hash && content && hashOf(content).equals(hash) ? new Uint8Array(content) : undefined;
}

const HASH_BYTES = 32;
const hashOf = (content: Uint8Array): Buffer => hash('sha256', content, 'buffer');

/**
 * Reads a file.
 *
 * @returns undefined if there is no such file
 * @throws UserError if the path exists and cannot be read, for example a folder
 */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw cannotRead(path, error);
  }
}
