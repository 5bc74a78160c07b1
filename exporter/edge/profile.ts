/** Finds the functions that a request can reach, by performing every case on the instrumented runtime. */

import type { Booted } from './boot.ts';
import type { Runtime } from './bundle.ts';
import { allCases, sessionOf } from './cases.ts';
import type { Case, Subject } from './cases.ts';
import { withClock } from './clock.ts';
import { makeFeeds } from './feeds.ts';

/** Milliseconds since 1970. A Worker's clock stands at 0 in the global scope, jumps at the first request, and may go back. */
const clocks = [0, 1_700_000_000_000, 1_600_000_000_000, 4_000_000_000_000];

/** Numbers of the functions that were entered, among those that the module defines. */
export async function profile(runtime: Runtime, booted: Booted): Promise<ReadonlySet<number>> {
  const subject = { ...booted, runtime };
  booted.hits.reset();
  for (const now of clocks)
    await withClock(now, () => {
      runOnce(subject);
    });
  runOnce(subject);
  for (const one of allCases(subject)) perform(subject, one);
  return booted.hits.read();
}

function runOnce(subject: Subject): void {
  for (const model of Object.keys(subject.sessions)) {
    const session = sessionOf(subject, model);
    const feeds = makeFeeds(subject.runtime, session.inputs, { all: 1 }, 'image');
    perform(subject, { model, label: 'clock jumps', perform: () => session.run(feeds) });
  }
}

function perform(subject: Subject, { model, label, perform }: Case): void {
  try {
    perform(subject);
  } catch (error) {
    throw new Error(
      `profile, model ${model}, ${label}: expected outputs or an error of ONNX Runtime, got ${String(error)}`,
      {
        cause: error,
      },
    );
  }
}
