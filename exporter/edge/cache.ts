/**
 * Remembers what stages have made, in a folder, by the content of everything that it depends on. What depends on more than a
 * key can say, such as which functions cases reach, is a guess until verification has passed; if it does not, everything is
 * made anew.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { cannotRead, makeFolder, writeAtomically } from '../../training/files/index.ts';
import type { Recall } from './image.ts';

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

  /** What `make` gives with the help of memory; or, where it fails with that help, without. */
  async use<T>(make: (recall: Recall) => Promise<T>): Promise<T> {
    try {
      return await make((...stage) => this.#recall(...stage));
    } catch (error) {
      if (!this.#recalled) throw error;
      return await make((...stage) => this.#make(...stage));
    }
  }

  /** Forgets what has not been of use since this was made. There may be nothing to remember where every model is compiled. */
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

/** An entry begins with its hash. @returns undefined for one that is not what was written, as on a disk that was full */
function unsealed(entry: Buffer | undefined): Uint8Array | undefined {
  const [hash, content] = [entry?.subarray(0, HASH_BYTES), entry?.subarray(HASH_BYTES)];
  return hash && content && hashOf(content).equals(hash) ? new Uint8Array(content) : undefined;
}

const HASH_BYTES = 32;
const hashOf = (content: Uint8Array): Buffer => createHash('sha256').update(content).digest();

/** @throws UserError for one that is there and cannot be read, such as a folder */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw cannotRead(path, error);
  }
}
