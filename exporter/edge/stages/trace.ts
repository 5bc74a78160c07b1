/**
 * Makes an image record which branches it takes, which entries of its table it calls and what it reads: every
 * instruction that reads memory becomes a call of a helper that marks the address and then executes the instruction.
 * The marks are kept in notes: one byte for each granule of memory, one for each branch and one for each entry.
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

/** The number of bytes that share a mark. */
export const granuleBytes = 16;
/** The number of granules in a 32-bit address space. The marks of branches and of entries follow theirs. */
const granules = 2 ** 32 / granuleBytes;
const [maxArms, maxEntries] = [2 ** 22, 2 ** 18];
const firstEntry = granules + maxArms;
/** Pages of notes for all marks. */
export const marksPages = (firstEntry + maxEntries) / 65_536;

/**
 * The marks of granules, of the arms of `branches.ts` and of the entries of the table. A module may have fewer arms and
 * entries.
 */
export interface Marks {
  readonly reads: Uint8Array;
  readonly arms: Uint8Array;
  readonly entries: Uint8Array;
}

export const readMarks = ({ memory }: Notes): Marks => ({
  reads: new Uint8Array(memory.buffer, 0, granules),
  arms: new Uint8Array(memory.buffer, granules, maxArms),
  entries: new Uint8Array(memory.buffer, firstEntry, maxEntries),
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

/** @returns a module to attach to notes */
export function traceReads(module: Uint8Array): Uint8Array {
  const sections = parseModule(module);
  const added = new AddedFunctions(sections);
  const notes = new NoteTable(sections, added);
  const helpers = new Map<string, number>();
  let arm = granules;
  const markArm = () => [...constant(arm++), ...notes.call('markOne')];
  const markEntry = call(added.add(entryType, concat([[0], markEntryCode(notes)])));
  const bodies = parseBodies(sections).map((body) => rewrite(body, helpers, added, notes, { markArm, markEntry }));
  if (countEntries(module) > maxEntries) throw new Error(`models: expected at most ${maxEntries} functions, got more`);
  if (arm > granules + maxArms) throw new Error(`models: expected at most ${maxArms} branches, got more`);
  const replaced = replaceSections(sections, {
    ...added.payloads(bodies),
    [section.export]: encodeExports([...parseExports(sections), notes.export]),
  });
  return encodeModule(notes.addTo(replaced));
}

/** @param helpers maps the bytes of an instruction to the index of the function that replaces it */
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

/** The helper called before calls through the table: it takes and returns their entry. */
const entryType = { parameters: [valueType.i32], results: [valueType.i32] };
const markEntryCode = (notes: NoteTable): Code => [
  ...[...localGet(0), ...constant(firstEntry), add, ...notes.call('markOne')],
  ...[...localGet(0), end],
];

/** Returns the body of a helper: it marks what is read, then executes the instruction on the same parameters. */
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

/** Computes the granules of the first and the last byte, from their offsets to the address in local 0. */
function readBetween(...offsets: readonly [first: number, last: number]): Code {
  return offsets.flatMap((at) => [...localGet(0), ...constant(at), add, ...constant(granuleShift), shiftRight]);
}

/**
 * The first granule of the source (local 1) and the number of granules of the length (local 2). Marking one too many
 * does no harm.
 */
const copied = [
  ...[...localGet(1), ...constant(granuleShift), shiftRight],
  ...[...localGet(2), ...constant(granuleShift), shiftRight, ...constant(2), add],
];
