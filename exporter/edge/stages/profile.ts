/** Finds the functions that a request can reach, by performing every case on the instrumented runtime. */

import type { Booted } from './boot.ts';
import { allCases, emptyRequests } from '../cases/cases.ts';
import type { Known, Subject } from '../cases/cases.ts';
import type { Trials } from '../cases/trials.ts';

/** @returns one byte per function: 1 if it was entered */
export async function profile(trials: Trials<Booted & Subject>, known: Known): Promise<Uint8Array> {
  const marks = new Uint8Array(trials.subject.hits.size);
  const collect = ({ hits }: Booted) => {
    for (const [index, mark] of hits.marks().entries()) if (mark === 1) marks[index] = 1;
  };
  trials.subject.hits.reset();
  const cases = [...allCases(trials.subject, known), ...emptyRequests(trials.subject, known)];
  for (const { perform } of cases) await trials.perform(perform, collect);
  collect(trials.subject);
  return marks;
}
