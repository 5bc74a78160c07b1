/**
 * Keeps the problems for peers in a temporary folder, and the findings about them. Each is made only once, since a
 * problem holds a whole data set.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from './job.ts';
import { writeProblem } from './problem.ts';

export class ProblemFiles {
  readonly #folder = mkdtempSync(join(tmpdir(), 'bn-edge-bench-'));
  readonly #known = new Map<string, unknown>();

  constructor() {
    process.once('exit', () => {
      rmSync(this.#folder, { recursive: true });
    });
  }

  pathOf(job: Job): Promise<string> {
    const key = JSON.stringify([job.network, job.data, job.config.seed, job.config.epochs]);
    return this.remember(key, async () => {
      const path = join(this.#folder, `${this.#known.size}.safetensors`);
      await writeProblem(path, job);
      return path;
    });
  }

  /** Returns the first result of `find` for a key. */
  async remember<T>(key: string, find: () => Promise<T>): Promise<T> {
    if (!this.#known.has(key)) this.#known.set(key, await find());
    return this.#known.get(key) as T;
  }
}
