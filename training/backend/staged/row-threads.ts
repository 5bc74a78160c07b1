/**
 * Runs the functions of a module on several threads, this one among them: each has so many rows, which are computed apart from each other.
 * The other threads sleep in between, and nothing waits for them to wake up: what they do not take, this thread computes. Where one ends,
 * this one goes on without it.
 */
import { Worker } from 'node:worker_threads';
import { siblingModule, UserError } from '../../files/index.ts';
import type { ThreadData } from './rows-thread.ts';
import {
  controlCells,
  doneAt,
  noTicket,
  piecesOf,
  type RowsTask,
  takeRows,
  tasksOf,
  ticketAt,
  ticketOf,
  turnAt,
} from './tickets.ts';

export const pageBytes = 65536;
/** Of a module that shares its memory. */
export const maxPages = 65536;

/** Looks at what others have done, before this thread falls asleep. */
const looks = 2000;
/** After so long a sleep this thread sees whether the others are still there. */
const sleepMilliseconds = 200;

/** A function of `(first row, row behind the last, the thread's own memory)` that the module exports. */
export interface RowFunction {
  readonly name: string;
  readonly rows: number;
  /** Whether rows give what they gave when they are computed once more. */
  readonly repeatable: boolean;
}

/** A module that imports `host.memory`. */
export interface RowModule {
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly functions: readonly RowFunction[];
  /** What lies in memory before the first run. */
  readonly segments: readonly { readonly address: number; readonly data: ArrayBufferView }[];
  /** The first free byte, in front of the threads' own memories. */
  readonly end: number;
  /** Of a thread's own memory. */
  readonly ownBytes: number;
}

export class RowThreads {
  /** @internal -- its type is one that not every program's libraries have */
  readonly memory: WebAssembly.Memory;
  /**
   * The module's, on this thread.
   * @internal
   */
  readonly exports: WebAssembly.Exports;
  readonly #functions: readonly RowFunction[];
  readonly #tasks: readonly RowsTask[];
  readonly #control: Int32Array;
  readonly #own: number;
  readonly #threads: Worker[];
  #ended = false;
  #turn = 0;

  /**
   * @param shared between how many threads the memory is shared; undefined of a module that does not share it
   * @throws RangeError where there is no such memory
   */
  constructor({ wasm, functions, segments, end, ownBytes }: RowModule, shared: number | undefined) {
    const threads = shared ?? 1;
    const pages = Math.ceil((end + threads * ownBytes) / pageBytes);
    const memory = new WebAssembly.Memory({ initial: pages, ...(shared !== undefined && { maximum: maxPages, shared: true }) }); // prettier-ignore
    for (const { address, data } of segments)
      new Uint8Array(memory.buffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), address);
    const module = new WebAssembly.Module(wasm);
    const { exports } = new WebAssembly.Instance(module, { host: { memory } });
    this.memory = memory;
    this.exports = exports;
    this.#own = end;
    // An engine without shared memory has no such buffer, and one thread needs none.
    this.#control = new Int32Array(threads > 1 ? new SharedArrayBuffer(4 * controlCells) : new ArrayBuffer(4 * controlCells)); // prettier-ignore
    // A thread that is there before the first turn finds nothing to take.
    Atomics.store(this.#control, ticketAt, noTicket);
    this.#functions = functions;
    this.#tasks = tasksOf(exports, functions);
    this.#threads = Array.from({ length: threads - 1 }, (_, i) => {
      const own = end + (i + 1) * ownBytes;
      return this.#start({ module, memory, control: this.#control, functions, own });
    });
  }

  /** @throws UserError where a thread has ended amid rows that cannot be computed once more */
  async run(index: number): Promise<void> {
    const task = this.#tasks[index];
    if (!task) throw new Error(`internal: no function ${index}`);
    if (this.#threads.length === 0 || this.#ended) {
      task.run(0, task.rows, this.#own);
      return;
    }
    Atomics.store(this.#control, doneAt, 0);
    Atomics.store(this.#control, ticketAt, ticketOf(++this.#turn, index));
    Atomics.store(this.#control, turnAt, this.#turn);
    Atomics.notify(this.#control, turnAt);
    takeRows(this.#control, this.#tasks, this.#own);
    await this.#finish(task, this.#functions[index]?.repeatable === true);
  }

  async release(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  /** Waits for the pieces that others have taken. */
  async #finish(task: RowsTask, isRepeatable: boolean): Promise<void> {
    const pieces = piecesOf(task.rows);
    const isDone = () => Atomics.load(this.#control, doneAt) === pieces;
    for (let look = 0; look < looks; look++) if (isDone()) return;
    while (!isDone()) {
      const done = Atomics.load(this.#control, doneAt);
      if (done === pieces || Atomics.wait(this.#control, doneAt, done, sleepMilliseconds) !== 'timed-out') continue;
      // Whether a thread has ended is told between two turns of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.#ended) continue;
      // One that is still at work must not write where later programs have put something else.
      await this.release();
      if (!isRepeatable)
        throw new UserError('training: a thread has ended amid a step; --resume goes on from the last checkpoint');
      task.run(0, task.rows, this.#own);
      return;
    }
  }

  #start(workerData: ThreadData): Worker {
    const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--input-type'));
    const thread = new Worker(siblingModule(import.meta.url, './rows-thread'), { workerData, execArgv });
    thread.on('error', () => (this.#ended = true));
    thread.on('exit', () => (this.#ended = true));
    thread.unref();
    return thread;
  }
}
