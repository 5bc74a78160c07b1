/**
 * Runs the functions of a module on several threads, this one among them. Each function has a number of rows, which are
 * computed independently. The other threads sleep in between, and nothing waits for them to wake up: this thread
 * computes the rows that they do not take. If one of them ends, this thread continues alone and says so.
 */
import { Worker } from 'node:worker_threads';
import { present } from '../../arrays/index.ts';
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
/** The maximum size of a module that shares its memory, in pages. */
export const maxPages = 65536;

/** The number of times that this thread polls the others' progress before it falls asleep. */
const maxPolls = 2000;
/** The time asleep after which this thread checks whether the others still exist. */
const sleepMilliseconds = 200;

/** A function of `(first row, row after the last, address of the thread's own memory)` that the module exports. */
export interface RowFunction {
  readonly name: string;
  readonly rows: number;
  /** Is true when rows that are computed again give the same result. */
  readonly repeatable: boolean;
}

/** A module that imports `host.memory`. */
export interface RowModule {
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly functions: readonly RowFunction[];
  /** The data that lie in memory before the first run. */
  readonly segments: readonly { readonly address: number; readonly data: ArrayBufferView }[];
  /** The first free byte, where the threads' own memories begin. */
  readonly end: number;
  /** The size of a thread's own memory. */
  readonly ownBytes: number;
}

export class RowThreads {
  /** @internal -- not every program's libraries declare its type */
  readonly memory: WebAssembly.Memory;
  /**
   * The module's exports on this thread.
   *
   * @internal
   */
  readonly exports: WebAssembly.Exports;
  readonly #functions: readonly RowFunction[];
  readonly #tasks: readonly RowsTask[];
  readonly #control: Int32Array;
  /** The address of this thread's own memory. */
  readonly #own: number;
  readonly #threads: Worker[];
  readonly #onEnd: (how: string) => void;
  #ended = false;
  #isReleased = false;
  #turn = 0;

  /**
   * @param shared the number of threads that share the memory; undefined for a module that does not share it
   * @param onEnd is told how a thread has ended, which none does by itself
   * @throws RangeError where the memory cannot be allocated
   */
  constructor(
    { wasm, functions, segments, end, ownBytes }: RowModule,
    shared: number | undefined,
    onEnd: (how: string) => void = () => undefined,
  ) {
    const threads = shared ?? 1;
    const pages = Math.ceil((end + threads * ownBytes) / pageBytes);
    const sharing = shared === undefined ? {} : { maximum: maxPages, shared: true };
    const memory = new WebAssembly.Memory({ initial: pages, ...sharing });
    for (const { address, data } of segments)
      new Uint8Array(memory.buffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), address);
    const module = new WebAssembly.Module(wasm);
    const { exports } = new WebAssembly.Instance(module, { host: { memory } });
    this.memory = memory;
    this.exports = exports;
    this.#own = end;
    this.#onEnd = onEnd;
    // An engine without shared memory has no SharedArrayBuffer, and a single thread needs none.
    const Control = threads > 1 ? SharedArrayBuffer : ArrayBuffer;
    this.#control = new Int32Array(new Control(controlCells * Int32Array.BYTES_PER_ELEMENT));
    // A thread that starts before the first turn finds nothing to take.
    Atomics.store(this.#control, ticketAt, noTicket);
    this.#functions = functions;
    this.#tasks = tasksOf(exports, functions);
    this.#threads = Array.from({ length: threads - 1 }, (_, i) => {
      const own = end + (i + 1) * ownBytes;
      return this.#start({ module, memory, control: this.#control, functions, own });
    });
  }

  /**
   * Computes all rows of the function at this index.
   *
   * @throws UserError where a thread has ended in the middle of rows that cannot be computed again
   */
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
    await this.#finish(task, present(this.#functions[index]).repeatable);
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  /** Waits for the pieces that other threads have taken. */
  async #finish(task: RowsTask, isRepeatable: boolean): Promise<void> {
    const pieces = piecesOf(task.rows);
    const isDone = () => Atomics.load(this.#control, doneAt) === pieces;
    for (let poll = 0; poll < maxPolls; poll++) if (isDone()) return;
    while (!isDone()) {
      const done = Atomics.load(this.#control, doneAt);
      if (done === pieces || Atomics.wait(this.#control, doneAt, done, sleepMilliseconds) !== 'timed-out') continue;
      // The end of a thread is reported between two turns of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.#ended) continue;
      // A thread that is still working must not overwrite what later programs write.
      await this.release();
      if (!isRepeatable)
        throw new UserError('training: a thread has ended amid a step; --resume continues from the last checkpoint');
      task.run(0, task.rows, this.#own);
      return;
    }
  }

  #start(workerData: ThreadData): Worker {
    const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--input-type'));
    const thread = new Worker(siblingModule(import.meta.url, './rows-thread'), { workerData, execArgv });
    const end = (how: string): void => {
      if (!this.#isReleased && !this.#ended) this.#onEnd(how);
      this.#ended = true;
    };
    thread.on('error', ({ message }: Error) => {
      end(message);
    });
    thread.on('exit', (code) => {
      end(`exit status ${code}`);
    });
    thread.unref();
    return thread;
  }
}
