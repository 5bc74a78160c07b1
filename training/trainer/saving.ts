/** Saves snapshots while training continues, one at a time. */
import type { Snapshot } from './snapshot.ts';

export class Saving {
  readonly #save: (snapshot: Snapshot) => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(save: ((snapshot: Snapshot) => Promise<void>) | undefined) {
    this.#save = save ?? (() => Promise.resolve());
  }

  /** Is true when the last snapshot could not be saved. Training then stops early to report it, not an epoch later. */
  get hasFailed(): boolean {
    return this.#failed;
  }

  /** Starts to save a snapshot without waiting for it. The previous one has to be finished. */
  start(snapshot: Snapshot): void {
    this.#last = this.#save(snapshot);
    this.#last.catch(() => {
      this.#failed = true;
    });
  }

  /**
   * Waits until the last snapshot is saved.
   *
   * @throws what saving it has thrown
   */
  finish(): Promise<void> {
    return this.#last;
  }

  /** Waits until nothing is being written any more, whether saving has succeeded or not. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#last]);
  }
}
