/**
 * Cuts the function table down to the entries that requests call: of 22,000, nearly all are methods of classes that no
 * session uses, and each costs time at every start. A missing entry traps like a cut branch, and the whole code has all
 * entries.
 */

import { encodeElements, encodeModule, parseElements, parseModule, replaceSections, section } from '../wasm/module.ts';
import type { ElementRun } from '../wasm/module.ts';

/**
 * The maximum number of unused entries to keep between used ones: a new run for those that follow would take more
 * bytes.
 */
const longestGap = 4;

/** Returns the length of the table that a module's runs fill; 0 if it has none. */
export function countEntries(module: Uint8Array): number {
  const sections = parseModule(module);
  if (!sections.some(({ id }) => id === section.element)) return 0;
  return Math.max(0, ...parseElements(sections).map(({ offset, functions }) => offset + functions.length));
}

/** @param marks one for each entry: 0 for those to cut */
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
