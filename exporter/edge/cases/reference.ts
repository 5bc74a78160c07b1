/**
 * Runs every case on stock in a thread of its own. That takes as long as the image's own run, and this way both go on
 * at the same time.
 */

import { on } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { KnownInputs, Outcome } from './cases.ts';
import type { Served } from '../stages/boot.ts';
import { siblingModule } from '../../../training/files/index.ts';

/** The data that the thread is started with. */
export interface ReferenceInput extends Served {
  readonly stock: Uint8Array;
}

/** A request to the thread, which answers one after the other. */
export interface ReferenceRequest {
  readonly request: number;
  readonly known: KnownInputs;
}

/** Carries the outcomes that follow those sent before. An empty list ends the request. */
export interface ReferenceAnswer {
  readonly request: number;
  readonly outcomes: readonly Outcome[];
}

/** Gives the outcomes of all cases, in their order, as often as it is called. */
export interface Reference {
  outcomes(known: KnownInputs): AsyncIterable<Outcome>;
}

export class ReferenceThread implements Reference, AsyncDisposable {
  readonly #worker: Worker;
  #requests = 0;
  /** Is aborted with the thread's error, whether or not anything waits for outcomes at that time. */
  readonly #failed = new AbortController();

  /** Starts the thread, which creates the sessions at once. */
  constructor(input: ReferenceInput) {
    // `--input-type` belongs to a program given on the command line. Node refuses it for a thread that runs a file.
    const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--input-type'));
    this.#worker = new Worker(siblingModule(import.meta.url, './reference-thread'), { workerData: input, execArgv });
    this.#worker.on('error', (error) => {
      this.#failed.abort(error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  async *outcomes(known: KnownInputs): AsyncIterable<Outcome> {
    const messages = on(this.#worker, 'message', { signal: this.#failed.signal });
    const request = ++this.#requests;
    this.#worker.postMessage({ request, known } satisfies ReferenceRequest);
    for await (const [{ request: answered, outcomes }] of messages as AsyncIterable<[ReferenceAnswer]>) {
      // This belongs to an earlier request that a difference has ended.
      if (answered !== request) continue;
      if (outcomes.length === 0) return;
      yield* outcomes;
    }
  }
}
