/**
 * Makes the stock module observable: every function marks itself when it is entered, every mutable global can be read
 * from outside, and memory is unshared. What it computes does not change.
 */

import {
  concat,
  encodeBodies,
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
  u32,
  valueType,
} from './wasm-binary.ts';
import type { Export, Section } from './wasm-binary.ts';

/** Export names: `hit.<n>` is 1 once the n-th function that the module defines was entered. */
export const hitPrefix = 'hit.';
/** `global.<n>` is the n-th global that the module defines. */
export const globalPrefix = 'global.';

export function instrument(stock: Uint8Array): Uint8Array {
  const sections = parseModule(stock);
  const bodies = parseBodies(sections);
  const globals = parseGlobals(sections);
  const firstGlobal = summarizeImports(sections).globals;
  const firstHit = firstGlobal + globals.length;
  const hit = { type: valueType.i32, mutable: true, init: integerConstant(valueType.i32, 0) };
  const exports = [
    ...parseExports(sections),
    ...mutableGlobalExports(sections),
    ...bodies.map((_, i) => ({ name: `${hitPrefix}${i}`, kind: externKind.global, index: firstHit + i })),
  ];
  return encodeModule(
    replaceSections(sections, {
      [section.import]: unsharedMemoryImport(sections),
      [section.global]: encodeGlobals([...globals, ...bodies.map(() => hit)]),
      [section.export]: encodeExports(exports),
      [section.code]: encodeBodies(bodies.map((body, i) => markOnEntry(body, firstHit + i))),
    }),
  );
}

/** Exports for the mutable globals, under names that later stages keep. */
export function mutableGlobalExports(sections: readonly Section[]): readonly Export[] {
  const first = summarizeImports(sections).globals;
  return parseGlobals(sections).flatMap(({ mutable }, i) =>
    mutable ? [{ name: `${globalPrefix}${i}`, kind: externKind.global, index: first + i }] : [],
  );
}

/** The import section with the memory's shared flag cleared; its limits stay. */
export function unsharedMemoryImport(sections: readonly Section[]): Uint8Array {
  const sharedFlag = 0b10;
  const payload = payloadOf(sections, section.import).slice();
  const at = summarizeImports(sections).limitsFlagOffset;
  payload[at] = (payload[at] ?? 0) & ~sharedFlag;
  return payload;
}

/** `i32.const 1`, `global.set`, then the function as it was. */
function markOnEntry(body: Uint8Array, global: number): Uint8Array {
  const at = firstInstruction(body);
  return concat([body.subarray(0, at), [0x41, 0x01, 0x24, ...u32(global)], body.subarray(at)]);
}
