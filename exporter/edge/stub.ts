/**
 * Cuts the stock module down to the functions that requests reach. The others trap when entered, which is loud; their
 * places in the function table are empty, which traps as well. Nothing that runs at start-up is left: the image starts where the snapshot ended.
 */

import { mutableGlobalExports, unsharedMemoryImport } from './instrument.ts';
import type { Snapshot } from './snapshot.ts';
import {
  encodeBodies,
  encodeElements,
  encodeExports,
  encodeGlobals,
  encodeModule,
  externKind,
  integerConstant,
  parseBodies,
  parseElements,
  parseExports,
  parseGlobals,
  parseModule,
  replaceSections,
  section,
  summarizeImports,
} from './wasm-binary.ts';
import type { ElementRun, Section } from './wasm-binary.ts';

/** No locals, `unreachable`, `end`. */
const trap = Uint8Array.of(0x00, 0x00, 0x0b);
/** No locals, `end`. */
const nothing = Uint8Array.of(0x00, 0x0b);

/**
 * @param kept numbers of the functions to keep, among those that the module defines
 * @param constructorsExport the export that the glue calls when it starts; it does nothing from now on
 * @returns a module without data, its globals starting at the values of the snapshot
 */
export function stub(
  stock: Uint8Array,
  kept: ReadonlySet<number>,
  constructorsExport: string,
  globals: Snapshot['globals'],
): Uint8Array {
  const sections = parseModule(stock);
  const firstFunction = summarizeImports(sections).functions;
  const constructors = functionExport(sections, constructorsExport) - firstFunction;
  const isKept = (index: number) => index < firstFunction || kept.has(index - firstFunction);
  const bodies = parseBodies(sections).map((body, i) => {
    if (i === constructors) return nothing;
    return kept.has(i) ? body : trap;
  });
  return encodeModule(
    replaceSections(sections, {
      [section.import]: unsharedMemoryImport(sections),
      [section.global]: bakeGlobals(sections, globals),
      [section.export]: encodeExports([...parseExports(sections), ...mutableGlobalExports(sections)]),
      [section.start]: null,
      [section.element]: encodeElements(parseElements(sections).flatMap((run) => keptRuns(run, isKept))),
      [section.dataCount]: null,
      [section.code]: encodeBodies(bodies),
      [section.data]: null,
    }),
  );
}

function functionExport(sections: readonly Section[], name: string): number {
  const found = parseExports(sections).find((one) => one.name === name && one.kind === externKind.function);
  if (!found) throw new Error(`wasm: expected a function export ${name}, got none`);
  return found.index;
}

/** What is left of a run of table entries: shorter runs at their old places. */
function keptRuns({ offset, functions }: ElementRun, isKept: (index: number) => boolean): readonly ElementRun[] {
  const runs: { offset: number; functions: number[] }[] = [];
  functions.forEach((index, i) => {
    if (!isKept(index)) return;
    const last = runs.at(-1);
    if (last && last.offset + last.functions.length === offset + i) last.functions.push(index);
    else runs.push({ offset: offset + i, functions: [index] });
  });
  return runs;
}

function bakeGlobals(sections: readonly Section[], values: Snapshot['globals']): Uint8Array {
  return encodeGlobals(
    parseGlobals(sections).map((global, i) => {
      const value = values.get(i);
      return value === undefined ? global : { ...global, init: integerConstant(global.type, value) };
    }),
  );
}
