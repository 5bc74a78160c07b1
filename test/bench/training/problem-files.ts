/** The problems that peers have been given, in a temporary folder: each is written once, since it holds all of MNIST. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from './job.ts';
import { writeProblem } from './problem.ts';

export class ProblemFiles implements AsyncDisposable {
  readonly #folder: string;
  readonly #paths = new Map<string, string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<ProblemFiles> {
    return new ProblemFiles(await mkdtemp(join(tmpdir(), 'bn-edge-bench-')));
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

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}
