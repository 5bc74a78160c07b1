/**
 * Makes an image write down what it reads: every instruction that reads memory becomes a call of a helper that marks
 * the address and then does the same. Marks are in a second memory, one byte for each granule of the first.
 */

import {
  concat,
  encodeBodies,
  encodeExports,
  encodeModule,
  externKind,
  firstInstruction,
  integerConstant,
  parseBodies,
  parseExports,
  parseModule,
  payloadOf,
  Reader,
  section,
  summarizeImports,
  u32,
  valueType,
  vector,
} from './wasm-binary.ts';
import type { Section } from './wasm-binary.ts';
import { instructions, memoryCopy, memoryRead } from './wasm-instructions.ts';
import type { Instruction, MemoryRead } from './wasm-instructions.ts';

/** Bytes that share a mark. */
export const granuleBytes = 16;
/** Export name of the memory with the marks: a byte is 1 once its granule has been read. */
export const marksExport = 'marks';

/** Marks for all of a 32-bit address space, in pages. */
const marksPages = 2 ** 32 / granuleBytes / 65_536;
const granuleShift = Math.log2(granuleBytes);

/** One function that stands for one instruction with its immediates. */
interface Helper {
  readonly type: number;
  readonly body: Uint8Array;
}

/** Collects the helpers and their function types while bodies are rewritten. */
class Helpers {
  readonly #firstFunction: number;
  readonly #firstType: number;
  readonly #indices = new Map<string, number>();
  readonly all: Helper[] = [];
  readonly types: Uint8Array[] = [];

  constructor(firstFunction: number, firstType: number) {
    this.#firstFunction = firstFunction;
    this.#firstType = firstType;
  }

  /** Index of the function that does what `code` does, and marks. */
  indexOf(code: Uint8Array, instruction: Instruction, read: MemoryRead): number {
    const key = code.join();
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    const index = this.#firstFunction + this.all.length;
    this.#indices.set(key, index);
    this.types.push(
      concat([[0x60], vector(read.parameters.map((type) => [type])), vector(read.results.map((type) => [type]))]),
    );
    this.all.push({ type: this.#firstType + this.types.length - 1, body: helperBody(code, instruction, read) });
    return index;
  }
}

export function traceReads(module: Uint8Array): Uint8Array {
  const sections = parseModule(module);
  const bodies = parseBodies(sections);
  const functionTypes = payloadOf(sections, section.function);
  const typeCount = new Reader(payloadOf(sections, section.type)).u32();
  const helpers = new Helpers(summarizeImports(sections).functions + bodies.length, typeCount);
  const traced = bodies.map((body) => rewrite(body, helpers));
  const replaced: Readonly<Record<number, Uint8Array>> = {
    [section.type]: append(payloadOf(sections, section.type), helpers.types),
    [section.function]: append(
      functionTypes,
      helpers.all.map(({ type }) => Uint8Array.from(u32(type))),
    ),
    [section.export]: encodeExports([
      ...parseExports(sections),
      { name: marksExport, kind: externKind.memory, index: 1 },
    ]),
    [section.code]: encodeBodies([...traced, ...helpers.all.map(({ body }) => body)]),
  };
  const marks: Section = { id: section.memory, payload: vector([[0, ...u32(marksPages)]]) };
  return encodeModule(
    sections.flatMap(({ id, payload }) => {
      const current = { id, payload: replaced[id] ?? payload };
      return id === section.global ? [marks, current] : [current];
    }),
  );
}

function rewrite(body: Uint8Array, helpers: Helpers): Uint8Array {
  const first = firstInstruction(body);
  const parts = [body.subarray(0, first)];
  for (const instruction of instructions(body, first)) {
    const code = body.subarray(instruction.start, instruction.end);
    const read = memoryRead(instruction.opcode);
    const call = read && Uint8Array.from([0x10, ...u32(helpers.indexOf(code, instruction, read))]);
    parts.push(call ?? code);
  }
  return concat(parts);
}

/** Marks what is read, then does it: parameters again, the instruction, `end`. */
function helperBody(code: Uint8Array, { opcode, memoryOffset }: Instruction, read: MemoryRead): Uint8Array {
  const parameters = read.parameters.flatMap((_, i) => localGet(i));
  const noLocals = [0];
  const marking = opcode === memoryCopy ? markCopied : markRead(memoryOffset, read.bytes);
  return concat([noLocals, marking, parameters, code, [0x0b]]);
}

/** `marks[(address + offset) >> shift] = 1`, for the first and the last byte; the address is local 0. */
function markRead(offset: number, bytes: number): readonly number[] {
  const granule = (at: number) => [...localGet(0), ...i32Const(at), 0x6a, ...i32Const(granuleShift), 0x76];
  return [offset, offset + bytes - 1].flatMap((at) => [...granule(at), ...i32Const(1), ...storeMark]);
}

/** `memory.fill` of the marks from source, local 1, over length, local 2. One granule too many does no harm. */
const markCopied = [
  ...[...localGet(1), ...i32Const(granuleShift), 0x76],
  ...i32Const(1),
  ...[...localGet(2), ...i32Const(granuleShift), 0x76, ...i32Const(2), 0x6a],
  ...[0xfc, 0x0b, 0x01],
];

/** `i32.store8` to memory 1: bit 6 of the alignment says that a memory index follows. */
const storeMark = [0x3a, 0x40, 0x01, 0x00];

function localGet(index: number): readonly number[] {
  return [0x20, ...u32(index)];
}

/** Without the `end` of a constant expression. */
function i32Const(value: number): readonly number[] {
  return [...integerConstant(valueType.i32, value | 0).subarray(0, -1)];
}

/** A vector with more items behind the old ones. */
function append(items: Uint8Array, more: readonly Uint8Array[]): Uint8Array {
  const reader = new Reader(items);
  const count = reader.u32();
  return concat([u32(count + more.length), items.subarray(reader.offset), ...more]);
}
