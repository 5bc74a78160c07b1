/**
 * Makes an image write down what it reads: every instruction that reads memory becomes a call of a helper that marks
 * the address and then does the same. Marks are in a second memory, one byte for each granule of the first.
 */

import { AddedFunctions } from '../wasm/added-functions.ts';
import { concat, u32, vector } from '../wasm/bytes.ts';
import {
  encodeExports,
  encodeModule,
  externKind,
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
/** Export name of the memory with the marks: a byte is 1 once its granule has been read. */
export const marksExport = 'marks';

/** Marks for all of a 32-bit address space, in pages. */
const marksPages = 2 ** 32 / granuleBytes / 65_536;
const granuleShift = Math.log2(granuleBytes);

export function traceReads(module: Uint8Array): Uint8Array {
  const sections = parseModule(module);
  const added = new AddedFunctions(sections);
  const helpers = new Map<string, number>();
  const bodies = parseBodies(sections).map((body) => rewrite(body, helpers, added));
  const exports = [...parseExports(sections), { name: marksExport, kind: externKind.memory, index: 1 }];
  const replaced = replaceSections(sections, {
    ...added.payloads(bodies),
    [section.export]: encodeExports(exports),
  });
  const marks = { id: section.memory, payload: vector([[0, ...u32(marksPages)]]) };
  return encodeModule(replaced.flatMap((one) => (one.id === section.global ? [marks, one] : [one])));
}

/** @param helpers indices of the functions that stand for one instruction each, by its bytes */
function rewrite(body: Uint8Array, helpers: Map<string, number>, added: AddedFunctions): Uint8Array {
  const helperOf = (code: Uint8Array, instruction: Instruction, read: MemoryRead) => {
    const known = helpers.get(code.join()) ?? added.add(read, helperBody(code, instruction, read));
    helpers.set(code.join(), known);
    return known;
  };
  const first = firstInstruction(body);
  const parts: (Uint8Array | Code)[] = [body.subarray(0, first)];
  for (const instruction of instructions(body, first)) {
    const code = body.subarray(instruction.start, instruction.end);
    const read = memoryRead(instruction.opcode);
    parts.push(read ? call(helperOf(code, instruction, read)) : code);
  }
  return concat(parts);
}

/** Marks what is read, then does it: parameters again, the instruction, `end`. */
function helperBody(code: Uint8Array, { opcode, memoryOffset }: Instruction, read: MemoryRead): Uint8Array {
  const parameters = read.parameters.flatMap((_, i) => localGet(i));
  const noLocals = [0];
  const marking = opcode === memoryCopy ? markCopied : markRead(memoryOffset, read.bytes);
  return concat([noLocals, marking, parameters, code, [end]]);
}

/** `marks[(address + offset) >> shift] = 1`, for the first and the last byte; the address is local 0. */
function markRead(offset: number, bytes: number): Code {
  const granule = (at: number) => [...localGet(0), ...constant(at), add, ...constant(granuleShift), shiftRight];
  return [offset, offset + bytes - 1].flatMap((at) => [...granule(at), ...constant(1), ...storeMark]);
}

/** `memory.fill` of the marks from source, local 1, over length, local 2. One granule too many does no harm. */
const markCopied = [
  ...[...localGet(1), ...constant(granuleShift), shiftRight],
  ...constant(1),
  ...[...localGet(2), ...constant(granuleShift), shiftRight, ...constant(2), add],
  ...[0xfc, 0x0b, 0x01],
];

/** `i32.store8` to memory 1: bit 6 of the alignment says that a memory index follows. */
const storeMark = [0x3a, 0x40, 0x01, 0x00];
