/**
 * Makes an image write down which branches it takes and what it reads: every instruction that reads memory becomes a call of a helper that marks
 * the address and then does the same. Marks are notes, one byte for each granule of memory and one for each branch.
 */

import { AddedFunctions } from '../wasm/added-functions.ts';
import { beginsArm } from './branches.ts';
import { NoteTable } from './notes.ts';
import type { Notes } from './notes.ts';
import { concat } from '../wasm/bytes.ts';
import {
  encodeExports,
  encodeModule,
  firstInstruction,
  parseBodies,
  parseExports,
  parseModule,
  replaceSections,
  section,
} from '../wasm/module.ts';
import { add, call, constant, end, localGet, shiftRight } from '../wasm/code.ts';
import type { Code } from '../wasm/code.ts';
import { instructions, memoryCopy, memoryRead } from '../wasm/instructions.ts';
import type { Instruction, MemoryRead } from '../wasm/instructions.ts';

/** Bytes that share a mark. */
export const granuleBytes = 16;
/** Marks for all of a 32-bit address space. A byte is 1 once its granule has been read; those of branches follow. */
const granules = 2 ** 32 / granuleBytes;
const mostArms = 2 ** 22;
/** Of notes. */
export const marksPages = (granules + mostArms) / 65_536;

/** What has been marked: granules, and the arms of `branches.ts`, of which there may be fewer. */
export const readMarks = ({ memory }: Notes): { readonly reads: Uint8Array; readonly arms: Uint8Array } => ({
  reads: new Uint8Array(memory.buffer, 0, granules),
  arms: new Uint8Array(memory.buffer, granules),
});
const granuleShift = Math.log2(granuleBytes);

/** @returns a module that is to be attached to notes */
export function traceReads(module: Uint8Array): Uint8Array {
  const sections = parseModule(module);
  const added = new AddedFunctions(sections);
  const notes = new NoteTable(sections, added);
  const helpers = new Map<string, number>();
  let arm = granules;
  const markArm = () => [...constant(arm++), ...notes.call('markOne')];
  const bodies = parseBodies(sections).map((body) => rewrite(body, helpers, added, notes, markArm));
  if (arm > granules + mostArms) throw new Error(`models: expected at most ${mostArms} branches, got more`);
  const replaced = replaceSections(sections, {
    ...added.payloads(bodies),
    [section.export]: encodeExports([...parseExports(sections), notes.export]),
  });
  return encodeModule(notes.addTo(replaced));
}

/** @param helpers indices of the functions that stand for one instruction each, by its bytes */
function rewrite(
  body: Uint8Array,
  helpers: Map<string, number>,
  added: AddedFunctions,
  notes: NoteTable,
  markArm: () => Code,
): Uint8Array {
  const helperOf = (code: Uint8Array, instruction: Instruction, read: MemoryRead) => {
    const known = helpers.get(code.join()) ?? added.add(read, helperBody(code, instruction, read, notes));
    helpers.set(code.join(), known);
    return known;
  };
  const first = firstInstruction(body);
  const parts: (Uint8Array | Code)[] = [body.subarray(0, first)];
  for (const instruction of instructions(body, first)) {
    const code = body.subarray(instruction.start, instruction.end);
    const read = memoryRead(instruction.opcode);
    parts.push(read ? call(helperOf(code, instruction, read)) : code);
    if (beginsArm(instruction.opcode)) parts.push(markArm());
  }
  return concat(parts);
}

/** Marks what is read, then does it: parameters again, the instruction, `end`. */
function helperBody(
  code: Uint8Array,
  { opcode, memoryOffset }: Instruction,
  read: MemoryRead,
  notes: NoteTable,
): Uint8Array {
  const parameters = read.parameters.flatMap((_, i) => localGet(i));
  const noLocals = [0];
  const marking =
    opcode === memoryCopy
      ? [...copied, ...notes.call('markAll')]
      : [...readBetween(memoryOffset, memoryOffset + read.bytes - 1), ...notes.call('markTwo')];
  return concat([noLocals, marking, parameters, code, [end]]);
}

/** The granules of the first and the last byte, by their offsets from the address, which is local 0. */
function readBetween(...offsets: readonly [first: number, last: number]): Code {
  return offsets.flatMap((at) => [...localGet(0), ...constant(at), add, ...constant(granuleShift), shiftRight]);
}

/** The first granule of the source, local 1, and how many its length, local 2, takes. One too many does no harm. */
const copied = [
  ...[...localGet(1), ...constant(granuleShift), shiftRight],
  ...[...localGet(2), ...constant(granuleShift), shiftRight, ...constant(2), add],
];
