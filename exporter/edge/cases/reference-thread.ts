/** The thread behind `ReferenceThread`: performs every case on stock whenever it is told to start. */

import { parentPort, workerData } from 'node:worker_threads';

import { loadRuntime } from '../bundle.ts';
import type { Subject } from './cases.ts';
import type { ReferenceInput } from './reference.ts';
import { outcomesOf } from './verify.ts';

/** Outcomes that are sent together; none are the end. */
const chunk = 32;

async function startReference({ stock, models }: ReferenceInput): Promise<Subject> {
  const runtime = await loadRuntime('shared');
  const module = new WebAssembly.Module(stock);
  return { ...(await runtime.startStock((imports) => new WebAssembly.Instance(module, imports), models)), runtime };
}

const input = workerData as ReferenceInput;
const subject = await startReference(input);
parentPort?.on('message', () => {
  const outcomes = [];
  for (const outcome of outcomesOf(subject, input.samples)) {
    outcomes.push(outcome);
    if (outcomes.length === chunk) parentPort?.postMessage(outcomes.splice(0));
  }
  if (outcomes.length > 0) parentPort?.postMessage(outcomes);
  parentPort?.postMessage([]);
});
