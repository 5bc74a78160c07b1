/**
 * Makes an image write down which branches it takes, which entries of its table it calls and what it reads: every instruction that
 * reads memory becomes a call of a helper that marks the address and then does the same. Marks are notes, one byte for each granule of
 * memory, one for each branch and one for each entry.
 */

import { AddedFunctions } from '../wasm/added-functions.ts';
import { beginsArm } from './branches.ts';
import { countEntries } from './table.ts';
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
  valueType,
} from '../wasm/module.ts';
import { add, call, constant, end, localGet, shiftRight } from '../wasm/code.ts';
import type { Code } from '../wasm/code.ts';
import { callIndirect, instructions, memoryCopy, memoryRead } from '../wasm/instructions.ts';
import type { Instruction, MemoryRead } from '../wasm/instructions.ts';

/** Bytes that share a mark. */
export const granuleBytes = 16;
/** Marks for all of a 32-bit address space. A byte is 1 once its granule has been read; those of branches and of entries follow. */
const granules = 2 ** 32 / granuleBytes;
const [mostArms, mostEntries] = [2 ** 22, 2 ** 18];
const firstEntry = granules + mostArms;
/** Of notes. */
export const marksPages = (firstEntry + mostEntries) / 65_536;

/** What has been marked: granules, the arms of `branches.ts` and the entries of the table, of which there may be fewer. */
export interface Marks {
  readonly reads: Uint8Array;
  readonly arms: Uint8Array;
  readonly entries: Uint8Array;
}

export const readMarks = ({ memory }: Notes): Marks => ({
  reads: new Uint8Array(memory.buffer, 0, granules),
  arms: new Uint8Array(memory.buffer, granules, mostArms),
  entries: new Uint8Array(memory.buffer, firstEntry, mostEntries),
});

/** Marks entries that the host calls. */
export function markCallsOf(table: WebAssembly.Table, { entries }: Marks): void {
  const get = table.get.bind(table);
  table.get = (index: number) => {
    entries[index] = 1;
    return get(index);
  };
}

const granuleShift = Math.log2(granuleBytes);

/** @returns a module that is to be attached to notes */
export function traceReads(module: Uint8Array): Uint8Array {
  const sections = parseModule(module);
  const added = new AddedFunctions(sections);
  const notes = new NoteTable(sections, added);
  const helpers = new Map<string, number>();
  let arm = granules;
  const markArm = () => [...constant(arm++), ...notes.call('markOne')];
  const markEntry = call(added.add(entryType, concat([[0], markEntryCode(notes)])));
  const bodies = parseBodies(sections).map((body) => rewrite(body, helpers, added, notes, { markArm, markEntry }));
  if (countEntries(module) > mostEntries)
    throw new Error(`models: expected at most ${mostEntries} functions, got more`);
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
  { markArm, markEntry }: { readonly markArm: () => Code; readonly markEntry: Code },
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
    if (instruction.opcode === callIndirect) parts.push(markEntry);
    parts.push(read ? call(helperOf(code, instruction, read)) : code);
    if (beginsArm(instruction.opcode)) parts.push(markArm());
  }
  return concat(parts);
}

/** Of the helper that stands before calls through the table: it gives back their entry, which it takes. */
const entryType = { parameters: [valueType.i32], results: [valueType.i32] };
const markEntryCode = (notes: NoteTable): Code => [
  ...[...localGet(0), ...constant(firstEntry), add, ...notes.call('markOne')],
  ...[...localGet(0), end],
];

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
