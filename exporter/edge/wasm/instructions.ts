/**
 * Walks the instructions of a function body, and knows which of them read memory. It covers the instructions that the
 * image is made of: core, sign extension, saturating conversions, bulk memory, SIMD, relaxed SIMD and threads.
 * Source: https://webassembly.github.io/spec/core/binary/instructions.html, and for threads
 * https://github.com/WebAssembly/threads/blob/main/proposals/threads/Overview.md
 */

import { Reader } from './bytes.ts';
import { valueType } from './module.ts';

/**
 * An instruction's place in its body. `opcode` is prefix × 4096 + number for prefixed ones; the numbers of relaxed SIMD
 * begin at 256.
 */
export interface Instruction {
  readonly opcode: number;
  readonly start: number;
  readonly end: number;
  /** The constant added to the address by instructions that access memory; 0 for others. */
  readonly memoryOffset: number;
}

/**
 * The values that an instruction takes from the stack, address first, those that it returns, and the number of bytes
 * that it reads.
 */
export interface MemoryRead {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  readonly bytes: number;
}

const { i32, i64, f32, f64, v128 } = valueType;

/** Prefixes: bulk memory and saturating conversions, vectors, threads. */
const [bulk, simd, atomic] = [0xfc000, 0xfd000, 0xfe000];
/** Fills memory from a data segment. */
export const memoryInit = bulk + 8;
export const dataDrop = bulk + 9;
export const memoryCopy = bulk + 10;

/**
 * Yields the instructions of a body, from `offset` on.
 *
 * @throws Error at an instruction that it does not know
 */
export function* instructions(body: Uint8Array, offset: number): Generator<Instruction> {
  const reader = new Reader(body, offset);
  while (!reader.done) {
    const start = reader.offset;
    const first = reader.byte();
    const opcode = first >= 0xfc && first <= 0xfe ? first * 4096 + reader.u32() : first;
    const memoryOffset = skipImmediates(reader, opcode);
    yield { opcode, start, end: reader.offset, memoryOffset };
  }
}

/** @returns the memory offset among the immediates, or 0 */
function skipImmediates(reader: Reader, opcode: number): number {
  if (opcode >= atomic) return opcode === atomic + 3 ? skipBytes(reader, 1) : memoryArgument(reader);
  if (opcode >= simd) return skipSimd(reader, opcode - simd);
  if (opcode >= bulk) return skipNumbers(reader, bulkImmediates[opcode - bulk] ?? unknown(opcode));
  if (opcode >= 0x28 && opcode <= 0x3e) return memoryArgument(reader);
  if (opcode === 0x0e) return skipNumbers(reader, reader.u32() + 1);
  if (opcode === 0x1c) return skipNumbers(reader, reader.u32());
  if (opcode === 0x43 || opcode === 0x44) return skipBytes(reader, opcode === 0x43 ? 4 : 8);
  return skipNumbers(reader, coreImmediates(opcode));
}

/** Counts the LEB128 numbers that follow an instruction of one byte. */
function coreImmediates(opcode: number): number {
  if (opcode === callIndirect) return 2;
  const one = [0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x3f, 0x40, 0x41, 0x42, 0xd0, 0xd2];
  if (one.includes(opcode) || (opcode >= 0x20 && opcode <= 0x26)) return 1;
  return opcode <= 0xc4 || opcode === 0xd1 ? 0 : unknown(opcode);
}

/**
 * Counts the immediates by the number after 0xfc: eight conversions, then memory.init, data.drop, memory.copy,
 * memory.fill, table instructions.
 */
const bulkImmediates = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

function skipSimd(reader: Reader, number: number): number {
  if (number <= 11 || number === 92 || number === 93) return memoryArgument(reader);
  if (number === 12 || number === 13) return skipBytes(reader, 16);
  if (number >= 21 && number <= 34) return skipBytes(reader, 1);
  if (number < 84 || number > 91) return 0;
  const offset = memoryArgument(reader);
  reader.byte();
  return offset;
}

function memoryArgument(reader: Reader): number {
  reader.u32();
  return reader.u32();
}

function skipBytes(reader: Reader, count: number): number {
  reader.take(count);
  return 0;
}

function skipNumbers(reader: Reader, count: number): number {
  for (let i = 0; i < count; i++) reader.u32();
  return 0;
}

function unknown(opcode: number): never {
  throw new Error(`wasm: expected a known instruction, got 0x${opcode.toString(16)}`);
}

/**
 * Describes an instruction that reads memory; undefined for others. `memory.copy` reads as many bytes as its third
 * operand says.
 */
export function memoryRead(opcode: number): MemoryRead | undefined {
  if (opcode === memoryCopy) return { parameters: [i32, i32, i32], results: [], bytes: 0 };
  if (opcode >= atomic) return atomicRead(opcode - atomic);
  if (opcode >= simd) return simdRead(opcode - simd);
  return loads[opcode - 0x28];
}

const load = (result: number, bytes: number): MemoryRead => ({ parameters: [i32], results: [result], bytes });

/** From `i32.load` (0x28) to `i64.load32_u`. */
const loads = [
  ...[load(i32, 4), load(i64, 8), load(f32, 4), load(f64, 8)],
  ...[1, 1, 2, 2].map((bytes) => load(i32, bytes)),
  ...[1, 1, 2, 2, 4, 4].map((bytes) => load(i64, bytes)),
];

function simdRead(number: number): MemoryRead | undefined {
  const whole = [16, 8, 8, 8, 8, 8, 8, 1, 2, 4, 8];
  const zeroExtended = [4, 8];
  const bytes = whole[number] ?? zeroExtended[number - 92];
  if (bytes !== undefined) return load(v128, bytes);
  const lane = [1, 2, 4, 8][number - 84];
  return lane === undefined ? undefined : { parameters: [i32, v128], results: [v128], bytes: lane };
}

/** Value type and size of the seven widths of each kind of atomic instruction. */
const atomicWidths = [
  ...[
    { type: i32, bytes: 4 },
    { type: i64, bytes: 8 },
    { type: i32, bytes: 1 },
    { type: i32, bytes: 2 },
  ],
  ...[
    { type: i64, bytes: 1 },
    { type: i64, bytes: 2 },
    { type: i64, bytes: 4 },
  ],
];

/**
 * Describes an atomic instruction that reads. Kinds from 0x10 on: load, store, six read-modify-writes,
 * compare-exchange.
 */
function atomicRead(number: number): MemoryRead | undefined {
  if (number === 1) return { parameters: [i32, i32, i64], results: [i32], bytes: 4 };
  if (number === 2) return { parameters: [i32, i64, i64], results: [i32], bytes: 8 };
  const kind = Math.floor((number - 0x10) / 7);
  const width = atomicWidths[(number - 0x10) % 7];
  const isStore = kind === 1;
  if (!width || isStore) return undefined;
  const operands = kind === 0 ? 0 : kind === 8 ? 2 : 1;
  const parameters = [i32, ...Array<number>(operands).fill(width.type)];
  return { parameters, results: [width.type], bytes: width.bytes };
}

/** Opcodes of vectors of four floats. `madd` is relaxed: a · b + c. */
export const f32x4 = { add: simd + 0xe4, multiply: simd + 0xe6, madd: simd + 0x105 } as const;
export const [localGet, localTee, callIndirect] = [0x20, 0x22, 0x11];

/**
 * Counts the values that an instruction takes, if it returns one value and does nothing else but set a local variable.
 * Undefined for all others, and for those that hardly occur in the computation of vectors and their addresses.
 */
export function operandsOf(opcode: number): number | undefined {
  if (opcode >= simd && opcode < atomic) return simdOperands(opcode - simd);
  return coreOperands.find(([first, last]) => opcode >= first && opcode <= last)?.[2];
}

/** Ranges of opcodes, and the number of values that they take. */
const coreOperands = [
  ...[[0x20, 0x20, 0] as const, [0x22, 0x22, 1] as const],
  ...[[0x28, 0x35, 1] as const, [0x41, 0x44, 0] as const],
  ...[[0x45, 0x45, 1] as const, [0x46, 0x4f, 2] as const],
  ...[[0x67, 0x69, 1] as const, [0x6a, 0x78, 2] as const],
  ...[[0x8b, 0x91, 1] as const, [0x92, 0x98, 2] as const],
] as const;

/** Counts the operands of loads, constants, shuffles, splats, and the arithmetic of four floats. */
function simdOperands(number: number): number | undefined {
  if (number <= 10 || number === 92 || number === 93) return 1;
  if (number === 12) return 0;
  if (number === 13) return 2;
  if (number >= 15 && number <= 20) return 1;
  if (number === 0xe0 || number === 0xe1 || number === 0xe3) return 1;
  return number >= 0xe4 && number <= 0xeb ? 2 : undefined;
}
