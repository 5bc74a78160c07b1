/**
 * Cuts the stock module down to the functions that requests reach. All others become stubs that trap when they are
 * called. In the function table one stub stands for all: a wrong signature traps as well. No start-up code is left: the
 * image starts from the snapshot.
 */

import { mutableGlobalExports, unsharedMemoryImport } from './instrument.ts';
import type { ExportNames } from './names.ts';
import type { Snapshot } from './snapshot.ts';
import { dataDrop, instructions, memoryInit } from '../wasm/instructions.ts';
import {
  definedFunction,
  encodeBodies,
  encodeElements,
  encodeExports,
  encodeGlobals,
  encodeModule,
  firstInstruction,
  integerConstant,
  parseBodies,
  parseElements,
  parseExports,
  parseGlobals,
  parseModule,
  replaceSections,
  section,
  summarizeImports,
} from '../wasm/module.ts';
import type { Section } from '../wasm/module.ts';

/** No locals, `unreachable`, `end`. */
const trap = Uint8Array.of(0x00, 0x00, 0x0b);
/** No locals, `end`. */
const nothing = Uint8Array.of(0x00, 0x0b);

/**
 * @param kept numbers of the functions to keep, among those that the module defines
 * @param names of the exports; the constructors do nothing from now on
 * @returns a module without data, its globals starting at the values of the snapshot
 */
export function stub(
  stock: Uint8Array,
  kept: ReadonlySet<number>,
  names: Pick<ExportNames, 'constructors'>,
  globals: Snapshot['globals'],
): Uint8Array {
  const sections = parseModule(stock);
  const firstFunction = summarizeImports(sections).functions;
  const constructors = definedFunction(sections, names.constructors);
  const all = parseBodies(sections);
  const stays = all.map((body, i) => kept.has(i) && i !== constructors && !needsSegments(body));
  const anyTrap = firstFunction + stays.findIndex((stays, i) => !stays && i !== constructors);
  const isKept = (index: number) => index < firstFunction || stays[index - firstFunction];
  const bodies = all.map((body, i) => {
    if (i === constructors) return nothing;
    return stays[i] ? body : trap;
  });
  return encodeModule(
    replaceSections(sections, {
      [section.import]: unsharedMemoryImport(sections),
      [section.global]: bakeGlobals(sections, globals),
      [section.export]: encodeExports([...parseExports(sections), ...mutableGlobalExports(sections)]),
      [section.start]: null,
      [section.element]: encodeElements(
        parseElements(sections).map(({ offset, functions }) => ({
          offset,
          functions: functions.map((index) => (isKept(index) ? index : anyTrap)),
        })),
      ),
      [section.dataCount]: null,
      [section.code]: encodeBodies(bodies),
      [section.data]: null,
    }),
  );
}

/** Is true for a function that fills memory at start-up from data segments, which the image does not have. */
function needsSegments(body: Uint8Array): boolean {
  for (const { opcode } of instructions(body, firstInstruction(body)))
    if (opcode === memoryInit || opcode === dataDrop) return true;
  return false;
}

function bakeGlobals(sections: readonly Section[], values: Snapshot['globals']): Uint8Array {
  return encodeGlobals(
    parseGlobals(sections).map((global, i) => {
      const value = values.get(i);
      return value === undefined ? global : { ...global, init: integerConstant(global.type, value) };
    }),
  );
}
