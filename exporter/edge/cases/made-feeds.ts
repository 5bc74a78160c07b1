/**
 * Caches the inputs that were made last: every proof of an image uses the same ones for all models of the same shapes,
 * and making them takes longer than running the models on them.
 */

import type { Tensor } from '../runtime/index.ts';

export class MadeFeeds {
  readonly #limit: number;
  /** Maps keys to tensors, those used last at the end. */
  readonly #kept = new Map<string, readonly Tensor[]>();
  #bytes = 0;

  /** @param limit on the bytes of all cached tensors */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Returns what `make` gives. The caller must not change it.
   *
   * @param key says everything that the tensors depend on
   */
  recall(key: string, make: () => readonly Tensor[]): readonly Tensor[] {
    const tensors = this.#kept.get(key) ?? make();
    this.#drop(key);
    this.#kept.set(key, tensors);
    this.#bytes += bytesOf(tensors);
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.#drop(oldest);
    }
    return tensors;
  }

  #drop(key: string): void {
    this.#bytes -= bytesOf(this.#kept.get(key) ?? []);
    this.#kept.delete(key);
  }
}

const bytesOf = (tensors: readonly Tensor[]): number => tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
