/** The thread behind `step-program.ts`: does its part of each step, and never returns. */
import { workerData } from 'node:worker_threads';
import type { SharedProgram } from './step-program.ts';

const { module, memory } = workerData as SharedProgram;
const { exports } = new WebAssembly.Instance(module, { host: { memory } });
(exports['help'] as () => void)();
