/**
 * Remembers the inputs that were made last: every proof of an image asks with the same ones, of every model of the same shapes, and to
 * make them takes longer than to answer them.
 */

import type { Tensor } from '../runtime/index.ts';

export class MadeFeeds {
  readonly #limit: number;
  /** Those used last are last. */
  readonly #kept = new Map<string, readonly Tensor[]>();
  #bytes = 0;

  /** @param limit of all that are kept. Bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What `make` gives, which whoever gets it leaves as it is. @param key says everything that it depends on */
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
