/**
 * What stock makes of every case, worked out in a thread of its own: it takes as long as the image does, and this way
 * both are done at the same time.
 */

import { on } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Outcome } from './cases.ts';
import type { Models } from '../runtime/index.ts';
import type { Samples } from './samples.ts';

/** What the thread is started with. */
export interface ReferenceInput {
  readonly stock: Uint8Array;
  readonly models: Models;
  readonly samples: Samples;
}

/** Outcomes of all cases, in their order. May be asked for again. */
export interface Reference {
  outcomes(): AsyncIterable<Outcome>;
}

export class ReferenceThread implements Reference, AsyncDisposable {
  readonly #worker: Worker;

  /** Creates the sessions at once. */
  constructor(input: ReferenceInput) {
    this.#worker = new Worker(new URL('./reference-thread.ts', import.meta.url), { workerData: input });
    // Without a listener, an error that comes before anybody waits for outcomes would end the process.
    this.#worker.on('error', () => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  async *outcomes(): AsyncIterable<Outcome> {
    const waiting = new AbortController();
    this.#worker.once('error', (error) => {
      waiting.abort(error);
    });
    const messages = on(this.#worker, 'message', { signal: waiting.signal });
    this.#worker.postMessage('start');
    for await (const [outcomes] of messages as AsyncIterable<[readonly Outcome[]]>) {
      if (outcomes.length === 0) return;
      yield* outcomes;
    }
  }
}
