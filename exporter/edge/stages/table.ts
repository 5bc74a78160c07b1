/**
 * Cuts the table of functions down to the entries that requests call: of 22,000, nearly all are methods of classes that no session is
 * made of, and each is work at every start. What is missing traps as a branch does that was cut away, and the whole code has them all.
 */

import { encodeElements, encodeModule, parseElements, parseModule, replaceSections, section } from '../wasm/module.ts';
import type { ElementRun } from '../wasm/module.ts';

/** Entries that stay for nothing, where a run of its own for what follows them would take more. */
const longestGap = 4;

/** How far a module's runs fill its table; 0 where it has none. */
export function countEntries(module: Uint8Array): number {
  const sections = parseModule(module);
  if (!sections.some(({ id }) => id === section.element)) return 0;
  return Math.max(0, ...parseElements(sections).map(({ offset, functions }) => offset + functions.length));
}

/** @param marks of all entries: 0 for those to cut */
export function cutTable(module: Uint8Array, marks: Uint8Array): Uint8Array {
  const sections = parseModule(module);
  const runs = parseElements(sections).flatMap((run) => markedRuns(run, marks));
  return encodeModule(replaceSections(sections, { [section.element]: encodeElements(runs) }));
}

function markedRuns({ offset, functions }: ElementRun, marks: Uint8Array): readonly ElementRun[] {
  const runs: { start: number; end: number }[] = [];
  functions.forEach((_, i) => {
    if (marks[offset + i] === 0) return;
    const last = runs.at(-1);
    if (last && i - last.end <= longestGap) last.end = i + 1;
    else runs.push({ start: i, end: i + 1 });
  });
  return runs.map(({ start, end }) => ({ offset: offset + start, functions: functions.slice(start, end) }));
}
