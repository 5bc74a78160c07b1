/** The thread that `start-thread.ts` starts. It computes its part of each step, and never returns. */
import { workerData } from 'node:worker_threads';
import type { SharedProgram } from './start-thread.ts';

const { module, memory } = workerData as SharedProgram;
const { exports } = new WebAssembly.Instance(module, { host: { memory } });
(exports['help'] as () => void)();
