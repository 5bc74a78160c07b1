/**
 * Runs programs of rows on several threads, this one among them. The others sleep between programs, and a program does not wait for them to
 * wake up: what they do not take, this thread computes. Where one ends, this one goes on without it.
 */
import { Worker } from 'node:worker_threads';
import type { RowsProgram } from '../../compile/index.ts';
import { siblingModule } from '../../files/index.ts';
import type { ThreadData } from './rows-thread.ts';
import { controlCells, doneAt, piecesOf, type RowsTask, takeRows, ticketAt, ticketOf, turnAt } from './tickets.ts';

const pageBytes = 65536;
/** Of a module that shares its memory. */
export const mostPages = 65536;

/** Looks at what others have done, before this thread falls asleep. */
const looks = 2000;
/** After so long a sleep this thread sees whether the others are still there. */
const sleepMilliseconds = 200;

export class RowThreads {
  readonly memory: WebAssembly.Memory;
  readonly #tasks: readonly RowsTask[];
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * controlCells));
  readonly #own: number;
  readonly #threads: Worker[];
  #ended = false;
  #turn = 0;

  /**
   * @param rows of each program
   * @param shared between how many threads the memory is shared; undefined of a program that does not share it
   */
  constructor({ wasm, end, ownBytes, segments }: RowsProgram, rows: readonly number[], shared: number | undefined) {
    const threads = shared ?? 1;
    const pages = Math.ceil((end + threads * ownBytes) / pageBytes);
    const memory = new WebAssembly.Memory({ initial: pages, ...(shared !== undefined && { maximum: pages, shared: true }) }); // prettier-ignore
    for (const { address, data } of segments)
      new Uint8Array(memory.buffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), address);
    const module = new WebAssembly.Module(wasm);
    const { exports } = new WebAssembly.Instance(module, { host: { memory } });
    this.memory = memory;
    this.#own = end;
    this.#tasks = rows.map((count, i) => ({ run: exports[`rows${i}`] as RowsTask['run'], rows: count }));
    this.#threads = Array.from({ length: threads - 1 }, (_, i) => {
      const data: ThreadData = { module, memory, control: this.#control, rows, own: end + (i + 1) * ownBytes };
      return this.#start(data);
    });
  }

  async run(program: number): Promise<void> {
    const task = this.#tasks[program];
    if (!task) throw new Error(`internal: no program ${program}`);
    if (this.#threads.length === 0 || this.#ended) {
      task.run(0, task.rows, this.#own);
      return;
    }
    Atomics.store(this.#control, doneAt, 0);
    Atomics.store(this.#control, ticketAt, ticketOf(++this.#turn, program));
    Atomics.store(this.#control, turnAt, this.#turn);
    Atomics.notify(this.#control, turnAt);
    takeRows(this.#control, this.#tasks, this.#own);
    await this.#finish(task);
  }

  async release(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  /** Waits for the pieces that others have taken. */
  async #finish(task: RowsTask): Promise<void> {
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
