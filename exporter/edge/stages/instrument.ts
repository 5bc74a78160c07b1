/**
 * Makes the stock module observable: every function marks itself when it is entered, every mutable global can be read
 * from outside, memory is unshared, `free` zeroes what it frees, so that no dead data gets into the snapshot, and
 * allocations are logged. What the module computes does not change.
 */

import { at } from '../../../training/arrays/index.ts';
import { AddedFunctions } from '../wasm/added-functions.ts';
import { allocationExports, ignoreSealed, loggedMalloc, mallocType, sealedStart } from './allocations.ts';
import type { ExportNames } from './names.ts';
import { NoteTable } from './notes.ts';
import { concat } from '../wasm/bytes.ts';
import {
  definedFunction,
  encodeExports,
  encodeGlobals,
  encodeModule,
  externKind,
  firstInstruction,
  integerConstant,
  parseBodies,
  parseExports,
  parseGlobals,
  parseModule,
  payloadOf,
  replaceSections,
  section,
  summarizeImports,
  valueType,
} from '../wasm/module.ts';
import type { Export, Section } from '../wasm/module.ts';
import { and, constant, end, globalSet, ifTrue, localGet, subtract } from '../wasm/code.ts';
import type { Code } from '../wasm/code.ts';

/** Prefix of export names: `hit.<n>` is 1 once the n-th function that the module defines was entered. */
export const hitPrefix = 'hit.';
/** `global.<n>` is the n-th global that the module defines. */
export const globalPrefix = 'global.';

/** @returns a module to attach to notes */
export function instrument(stock: Uint8Array, names: Pick<ExportNames, 'malloc' | 'free'>): Uint8Array {
  const sections = parseModule(stock);
  const [malloc, free] = [definedFunction(sections, names.malloc), definedFunction(sections, names.free)];
  const stockBodies = parseBodies(sections);
  const globals = parseGlobals(sections);
  const firstGlobal = summarizeImports(sections).globals;
  const [count, next] = [firstGlobal + globals.length, firstGlobal + globals.length + 1];
  const firstHit = next + 1;
  const added = new AddedFunctions(sections);
  const notes = new NoteTable(sections, added);
  const bodies = stockBodies.map((body, i) => {
    if (i === free) return prepend([...zeroBlock, ...ignoreSealed], body);
    return i === malloc ? loggedMalloc(added.add(mallocType, body), { count, next }, notes) : body;
  });
  const zero = { type: valueType.i32, mutable: true, init: integerConstant(valueType.i32, 0) };
  const start = { ...zero, init: integerConstant(valueType.i32, sealedStart + 16) };
  const exports = [
    ...parseExports(sections),
    ...mutableGlobalExports(sections),
    notes.export,
    { name: allocationExports.count, kind: externKind.global, index: count },
    { name: allocationExports.next, kind: externKind.global, index: next },
    ...bodies.map((_, i) => ({ name: `${hitPrefix}${i}`, kind: externKind.global, index: firstHit + i })),
  ];
  const marked = bodies.map((body, i) => prepend(markHit(firstHit + i), body));
  const replaced = replaceSections(sections, {
    ...added.payloads(marked),
    [section.import]: unsharedMemoryImport(sections),
    [section.global]: encodeGlobals([...globals, zero, start, ...bodies.map(() => zero)]),
    [section.export]: encodeExports(exports),
  });
  return encodeModule(notes.addTo(replaced));
}

/** Returns exports for the mutable globals, under names that later stages keep. */
export function mutableGlobalExports(sections: readonly Section[]): readonly Export[] {
  const first = summarizeImports(sections).globals;
  return parseGlobals(sections).flatMap(({ mutable }, i) =>
    mutable ? [{ name: `${globalPrefix}${i}`, kind: externKind.global, index: first + i }] : [],
  );
}

/** Returns the import section with the memory's shared flag cleared; its limits stay. */
export function unsharedMemoryImport(sections: readonly Section[]): Uint8Array {
  const sharedFlag = 0b10;
  const payload = Uint8Array.from(payloadOf(sections, section.import));
  const offset = summarizeImports(sections).limitsFlagOffset;
  payload[offset] = at(payload, offset) & ~sharedFlag;
  return payload;
}

function markHit(global: number): Code {
  return [...constant(1), ...globalSet(global)];
}

const load = [0x28, 0x02, 0x00];
const fill = [0xfc, 0x0b, 0x00];

/**
 * `if (p) memory.fill(p, 0, (load32(p - 4) & ~7) - 4)` zeroes all that the program could use of the block at p = local
 * 0.
 */
const zeroBlock: Code = [
  ...[...localGet(0), ...ifTrue],
  ...[...localGet(0), ...constant(0)],
  ...[...localGet(0), ...constant(4), subtract, ...load],
  ...[...constant(-8), and, ...constant(4), subtract],
  ...[...fill, end],
];

function prepend(instructions: readonly number[], body: Uint8Array): Uint8Array {
  const first = firstInstruction(body);
  return concat([body.subarray(0, first), instructions, body.subarray(first)]);
}
