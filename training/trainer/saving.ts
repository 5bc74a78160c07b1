/** Snapshots that are saved while training goes on, one at a time. */
import type { Snapshot } from './snapshot.ts';

export class Saving {
  readonly #save: (snapshot: Snapshot) => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(save: ((snapshot: Snapshot) => Promise<void>) | undefined) {
    this.#save = save ?? (() => Promise.resolve());
  }

  /** Whether the last one could not be saved: nobody wants to train on for an epoch before that is told. */
  get hasFailed(): boolean {
    return this.#failed;
  }

  /** Does not wait for it; the one before is finished. */
  start(snapshot: Snapshot): void {
    this.#last = this.#save(snapshot);
    this.#last.catch(() => {
      this.#failed = true;
    });
  }

  /** @throws what saving the last one has thrown */
  finish(): Promise<void> {
    return this.#last;
  }

  /** When nothing is written any more, whether it could be or not. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#last]);
  }
}
