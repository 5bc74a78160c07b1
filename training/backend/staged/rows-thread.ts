/** The thread behind `row-threads.ts`: takes rows of whichever program is in turn, and sleeps where there are none. */
import { workerData } from 'node:worker_threads';
import { type RowsTask, takeRows, turnAt } from './tickets.ts';

export interface ThreadData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array;
  /** Of each program. */
  readonly rows: readonly number[];
  /** The thread's own memory, in bytes. */
  readonly own: number;
}

const { module, memory, control, rows, own } = workerData as ThreadData;
const { exports } = new WebAssembly.Instance(module, { host: { memory } });
const tasks = rows.map((count, i): RowsTask => ({ run: exports[`rows${i}`] as RowsTask['run'], rows: count }));

for (;;) {
  const turn = Atomics.load(control, turnAt);
  takeRows(control, tasks, own);
  Atomics.wait(control, turnAt, turn);
}
