/** Finds the functions that a request can reach, by performing every case on the instrumented runtime. */

import type { Booted } from './boot.ts';
import type { Runtime } from '../bundle.ts';
import { allCases } from '../cases/cases.ts';
import type { Case, Subject } from '../cases/cases.ts';

/** @returns by function: 1 if it was entered */
export function profile(runtime: Runtime, booted: Booted): Uint8Array {
  const subject = { ...booted, runtime };
  booted.hits.reset();
  for (const one of allCases(subject)) perform(subject, one);
  return booted.hits.marks();
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
