/**
 * A thread that `row-threads.ts` starts. It takes rows of the function whose turn it is, and sleeps when none are left.
 */
import { workerData } from 'node:worker_threads';
import { takeRows, tasksOf, turnAt } from './tickets.ts';

export interface ThreadData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array;
  readonly functions: Parameters<typeof tasksOf>[1];
  /** The address of the thread's own memory. */
  readonly own: number;
}

const { module, memory, control, functions, own } = workerData as ThreadData;
const { exports } = new WebAssembly.Instance(module, { host: { memory } });
const tasks = tasksOf(exports, functions);

for (;;) {
  const turn = Atomics.load(control, turnAt);
  takeRows(control, tasks, own);
  Atomics.wait(control, turnAt, turn);
}
