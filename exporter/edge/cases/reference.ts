/**
 * What stock makes of every case, worked out in a thread of its own: it takes as long as the image does, and this way
 * both are done at the same time.
 */

import { on } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Known, Outcome } from './cases.ts';
import type { Served } from '../stages/boot.ts';
import { siblingModule } from '../../../training/files/index.ts';

/** What the thread is started with. */
export interface ReferenceInput extends Served {
  readonly stock: Uint8Array;
}

/** What the thread is asked; it answers one request after the other. */
export interface ReferenceRequest {
  readonly request: number;
  readonly known: Known;
}

/** Outcomes that follow those before; none are the end. */
export interface ReferenceAnswer {
  readonly request: number;
  readonly outcomes: readonly Outcome[];
}

/** Outcomes of all cases, in their order. May be asked for again. */
export interface Reference {
  outcomes(known: Known): AsyncIterable<Outcome>;
}

export class ReferenceThread implements Reference, AsyncDisposable {
  readonly #worker: Worker;
  #requests = 0;
  /** Aborted with the thread's error, whether or not anybody waits for outcomes when it comes. */
  readonly #failed = new AbortController();

  /** Creates the sessions at once. */
  constructor(input: ReferenceInput) {
    // A program given on the command line says what kind it is, which a thread that is a file must not be told.
    const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--input-type'));
    this.#worker = new Worker(siblingModule(import.meta.url, './reference-thread'), { workerData: input, execArgv });
    this.#worker.on('error', (error) => {
      this.#failed.abort(error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  async *outcomes(known: Known): AsyncIterable<Outcome> {
    const messages = on(this.#worker, 'message', { signal: this.#failed.signal });
    const request = ++this.#requests;
    this.#worker.postMessage({ request, known } satisfies ReferenceRequest);
    for await (const [{ request: answered, outcomes }] of messages as AsyncIterable<[ReferenceAnswer]>) {
      // Of one before, which a difference has ended.
      if (answered !== request) continue;
      if (outcomes.length === 0) return;
      yield* outcomes;
    }
  }
}
