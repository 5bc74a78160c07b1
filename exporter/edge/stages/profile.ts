/** Finds the functions that a request can reach, by performing every case on the instrumented runtime. */

import type { Booted } from './boot.ts';
import type { Runtime } from '../bundle.ts';
import { allCases } from '../cases/cases.ts';
import type { Case, Subject } from '../cases/cases.ts';
import type { Samples } from '../cases/samples.ts';

/** @returns by function: 1 if it was entered */
export function profile(runtime: Runtime, booted: Booted, samples: Samples): Uint8Array {
  const subject = { ...booted, runtime };
  booted.hits.reset();
  for (const one of allCases(subject, samples)) perform(subject, one);
  return booted.hits.marks();
}

function perform(subject: Subject, { model, label, perform }: Case): void {
  try {
    perform(subject);
  } catch (error) {
    const got = String(error);
    throw new Error(
      `internal: profile, model ${model}, ${label}: expected outputs or an error of ONNX Runtime, got ${got}`,
      { cause: error },
    );
  }
}
