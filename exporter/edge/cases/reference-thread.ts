/** Runs in the thread of `ReferenceThread`: performs every case on stock for each request. */

import { parentPort, workerData } from 'node:worker_threads';

import { loadRuntime } from '../bundle.ts';
import type { Outcome, Subject } from './cases.ts';
import type { ReferenceAnswer, ReferenceInput, ReferenceRequest } from './reference.ts';
import { Trials } from './trials.ts';
import { outcomesOf } from './verify.ts';

/** The number of outcomes sent together. */
const chunk = 32;

const { stock, models, shapeless } = workerData as ReferenceInput;
const runtime = await loadRuntime('shared');
const module = new WebAssembly.Module(stock);

const start = async (): Promise<Subject> => ({
  ...(await runtime.startStock((imports) => new WebAssembly.Instance(module, imports), models, { shapeless })),
  runtime,
});

const trials = new Trials(await start(), start);
let answered = Promise.resolve();
parentPort?.on('message', (request: ReferenceRequest) => {
  answered = answered.then(() => answer(request));
});

async function answer({ request, known }: ReferenceRequest): Promise<void> {
  const send = (outcomes: readonly Outcome[]) =>
    parentPort?.postMessage({ request, outcomes } satisfies ReferenceAnswer);
  const outcomes: Outcome[] = [];
  for await (const outcome of outcomesOf(trials, known)) {
    outcomes.push(outcome);
    if (outcomes.length === chunk) send(outcomes.splice(0));
  }
  if (outcomes.length > 0) send(outcomes);
  send([]);
}
