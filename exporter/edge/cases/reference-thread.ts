/** The thread behind `ReferenceThread`: performs every case on stock whenever it is told to start. */

import { parentPort, workerData } from 'node:worker_threads';

import { loadRuntime } from '../bundle.ts';
import type { Known, Subject } from './cases.ts';
import type { ReferenceInput } from './reference.ts';
import { Trials } from './trials.ts';
import { outcomesOf } from './verify.ts';

/** Outcomes that are sent together; none are the end. */
const chunk = 32;

const { stock, models, shapeless } = workerData as ReferenceInput;
const runtime = await loadRuntime('shared');
const module = new WebAssembly.Module(stock);

const start = async (): Promise<Subject> => ({
  ...(await runtime.startStock((imports) => new WebAssembly.Instance(module, imports), models, { shapeless })),
  runtime,
});

const trials = new Trials(await start(), start);
parentPort?.on('message', (known: Known) => void send(known));

async function send(known: Known): Promise<void> {
  const outcomes = [];
  for await (const outcome of outcomesOf(trials, known)) {
    outcomes.push(outcome);
    if (outcomes.length === chunk) parentPort?.postMessage(outcomes.splice(0));
  }
  if (outcomes.length > 0) parentPort?.postMessage(outcomes);
  parentPort?.postMessage([]);
}
