/** The problems that peers have been given, in a temporary folder: each is written once, since it holds all of MNIST. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from './job.ts';
import { writeProblem } from './problem.ts';

export class ProblemFiles {
  readonly #folder = mkdtempSync(join(tmpdir(), 'bn-edge-bench-'));
  readonly #paths = new Map<string, string>();

  constructor() {
    process.once('exit', () => {
      rmSync(this.#folder, { recursive: true });
    });
  }

  async pathOf(job: Job): Promise<string> {
    const key = JSON.stringify([job.network, job.config.seed, job.config.epochs]);
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    const path = join(this.#folder, `${this.#paths.size}.safetensors`);
    await writeProblem(path, job);
    this.#paths.set(key, path);
    return path;
  }
}
